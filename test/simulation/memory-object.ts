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

  #transaction<Value>(work: () => Value): Value {
    this.#db.exec("BEGIN");
    try {
      const value = work();
      this.#db.exec("COMMIT");
      return value;
    } catch (cause) {
      this.#db.exec("ROLLBACK");
      throw cause;
    }
  }
}
