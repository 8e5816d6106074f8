import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue } from "node:sqlite";

/** What keepers use of an object's state, on a database in memory: what it holds survives an eviction. */
export class MemoryObject {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  /** Epoch milliseconds, or null when no alarm is set. */
  alarmAt: number | null = null;

  /** The state as a keeper takes it. It has what keepers call and nothing more. */
  get state(): DurableObjectState {
    const partial = { storage: this.storage, getWebSockets: () => [] };
    return partial as unknown as DurableObjectState;
  }

  /** The storage as a keeper takes it. */
  get storage(): DurableObjectStorage {
    const partial = {
      sql: this.sql,
      transactionSync: <Value>(work: () => Value): Value => this.#transaction(work),
      getAlarm: async () => this.alarmAt,
      setAlarm: async (at: number | Date) => {
        this.alarmAt = Number(at);
      },
      deleteAlarm: async () => {
        this.alarmAt = null;
      },
      deleteAll: async () => this.#deleteAll(),
    };
    return partial as unknown as DurableObjectStorage;
  }

  /** SQL as objects have it: rows that can be walked or taken as an array. */
  get sql(): SqlStorage {
    const exec = (query: string, ...bindings: SQLInputValue[]) => {
      if (bindings.length === 0 && query.includes(";")) {
        this.#db.exec(query);
        return Object.assign([][Symbol.iterator](), { toArray: () => [] });
      }
      const rows = this.#prepared(query).all(...bindings);
      return Object.assign(rows.values(), { toArray: () => rows, one: () => rows[0] });
    };
    return { exec } as unknown as SqlStorage;
  }

  /** How many rows each table has; a table without rows is left out. */
  rows(): Record<string, number> {
    const counts = this.#tables().map((table): [string, number] => {
      const [row] = this.#db.prepare(`SELECT count(*) AS rows FROM "${table}"`).all();
      return [table, Number(row?.["rows"])];
    });
    return Object.fromEntries(counts.filter(([, rows]) => rows > 0));
  }

  /** Begins a turn, whose writes and alarm are kept together or not at all. Gives what ends it. */
  begin(): { keep: () => void; undo: () => void } {
    const before = this.alarmAt;
    this.#db.exec("SAVEPOINT turn");
    return {
      keep: () => this.#db.exec("RELEASE turn"),
      undo: () => {
        this.#db.exec("ROLLBACK TO turn; RELEASE turn");
        this.alarmAt = before;
      },
    };
  }

  /** Frees the memory of an object that is needed no more. */
  close(): void {
    this.#db.close();
  }

  #prepared(query: string): ReturnType<DatabaseSync["prepare"]> {
    const known = this.#statements.get(query);
    if (known !== undefined) return known;
    const prepared = this.#db.prepare(query);
    this.#statements.set(query, prepared);
    return prepared;
  }

  #tables(): string[] {
    const named = this.#db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    return named.map(({ name }) => String(name)).filter((name) => !name.startsWith("sqlite_"));
  }

  /** Since compatibility date 2026-02-24 the alarm goes with the rest. */
  #deleteAll(): void {
    for (const table of this.#tables()) this.#db.exec(`DROP TABLE "${table}"`);
    this.alarmAt = null;
  }

  #transaction<Value>(work: () => Value): Value {
    // Savepoints nest, so that a turn may hold transactions.
    this.#db.exec("SAVEPOINT work");
    try {
      const value = work();
      this.#db.exec("RELEASE work");
      return value;
    } catch (cause) {
      this.#db.exec("ROLLBACK TO work; RELEASE work");
      throw cause;
    }
  }
}
