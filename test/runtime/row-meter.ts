import { env } from "cloudflare:workers";

import { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { PoolObject } from "../../src/dispatch/pool/pool-object.ts";
import { TaskObject } from "../../src/task/task-object.ts";

/** What is billed: rows by what wrote them, and everything else by its count. */
export interface Meter {
  /** Rows written, by `<object>: <what>`. */
  rows: Record<string, number>;
  /** Calls of objects, by `<object>.<method>`. */
  calls: Record<string, number>;
  /** Messages sent, by queue. */
  messages: Record<string, number>;
}

type AnyFunction = (this: unknown, ...args: never[]) => unknown;

const CLASSES = [
  ["task", TaskObject],
  ["pool", PoolObject],
  ["endpoint", EndpointObject],
] as const;

const PRODUCERS = { EVENTS: env.EVENTS, RETRIES: env.RETRIES, EXECUTIONS: env.EXECUTIONS };

/** The verb and the table of a statement that writes, e.g. `INSERT record`. */
function writeOf(statement: string): string {
  const words = statement.replace(/\b(OR \w+|INTO|FROM|IF NOT EXISTS)\b/g, " ").trim();
  const [verb = "", ...rest] = words.split(/[\s(]+/);
  return `${verb} ${(verb === "CREATE" ? rest[1] : rest[0]) ?? ""}`;
}

/**
 * Counts what is billed, at the runtime's own prototypes, so that nothing a task does escapes.
 *
 * Rows are those that the runtime reports for each statement, index entries and schema included; every setting
 * and clearing of an alarm is one more (facts/platform.md §4).
 */
export class RowMeter {
  readonly #restore: (() => void)[] = [];
  readonly #names = new WeakMap<object, string>();
  #writes: { by: object | string; what: string; rows: () => number }[] = [];
  #calls: string[] = [];
  #messages: string[] = [];

  /** Gives an object's storage the name under which its rows are shown. */
  name(storage: DurableObjectStorage, name: string): void {
    this.#names.set(storage, name);
    this.#names.set(storage.sql, name);
  }

  /** @param storage of any object: its prototypes are those of all */
  start(storage: DurableObjectStorage): void {
    this.#watchStorage(storage);
    this.#watchDatabase();
    for (const [name, { prototype }] of CLASSES) this.#watchCalls(name, prototype);
    for (const [name, queue] of Object.entries(PRODUCERS)) this.#watchQueue(name, queue);
  }

  stop(): void {
    for (const restore of this.#restore.splice(0)) restore();
  }

  /** What was counted since the last call. */
  take(): Meter {
    const rows: Record<string, number> = {};
    for (const { by, what, rows: written } of this.#writes.splice(0)) {
      const name = typeof by === "string" ? by : (this.#names.get(by) ?? "other");
      if (written() > 0) rows[`${name}: ${what}`] = (rows[`${name}: ${what}`] ?? 0) + written();
    }
    return { rows, calls: tally(this.#calls.splice(0)), messages: tally(this.#messages.splice(0)) };
  }

  /** Replaces a method of a prototype by one that notes its call. */
  #wrap(target: object, method: string, around: (original: AnyFunction) => AnyFunction): void {
    const original = Reflect.get(target, method) as AnyFunction;
    Reflect.set(target, method, around(original));
    this.#restore.push(() => Reflect.set(target, method, original));
  }

  #watchStorage(storage: DurableObjectStorage): void {
    const writes = this.#writes;
    this.#wrap(
      Reflect.getPrototypeOf(storage.sql) ?? {},
      "exec",
      (original) =>
        function exec(...args) {
          const cursor = original.apply(this, args) as SqlStorageCursor<never>;
          const by = this as object;
          writes.push({ by, what: writeOf(String(args[0])), rows: () => cursor.rowsWritten });
          return cursor;
        },
    );
    for (const method of ["setAlarm", "deleteAlarm"]) {
      this.#wrap(
        Reflect.getPrototypeOf(storage) ?? {},
        method,
        (original) =>
          function set(...args) {
            writes.push({ by: this as object, what: method, rows: () => 1 });
            return original.apply(this, args);
          },
      );
    }
    // Nothing here uses the key-value side of an object; were it used, its rows would have to be counted.
    this.#wrap(
      Reflect.getPrototypeOf(storage) ?? {},
      "put",
      () =>
        function put() {
          throw new Error("rows of storage.put are not counted");
        },
    );
  }

  #watchDatabase(): void {
    const writes = this.#writes;
    const note = (results: D1Result[], what: string): void => {
      for (const { meta } of results) writes.push({ by: "D1", what, rows: () => meta.rows_written });
    };
    const statement = Reflect.getPrototypeOf(env.DB.prepare("SELECT 1")) ?? {};
    for (const method of ["run", "all"]) {
      this.#wrap(
        statement,
        method,
        (original) =>
          async function run(...args) {
            const result = (await original.apply(this, args)) as D1Result;
            note([result], writeOf(textOf(this)));
            return result;
          },
      );
    }
    for (const method of ["raw", "first"]) {
      this.#wrap(
        statement,
        method,
        (original) =>
          function read(...args) {
            const text = textOf(this);
            // Their answers do not tell the rows written.
            if (!/^\s*select\b/i.test(text)) throw new Error(`rows are not counted of: ${text}`);
            return original.apply(this, args);
          },
      );
    }
    this.#wrap(
      Reflect.getPrototypeOf(env.DB) ?? {},
      "batch",
      (original) =>
        async function batch(...args) {
          const statements = args[0] as unknown as object[];
          const results = (await original.apply(this, args)) as D1Result[];
          for (const [index, result] of results.entries()) {
            note([result], writeOf(textOf(statements[index])));
          }
          return results;
        },
    );
  }

  #watchCalls(name: string, prototype: object): void {
    const calls = this.#calls;
    for (const method of Object.getOwnPropertyNames(prototype)) {
      if (method === "constructor") continue;
      this.#wrap(
        prototype,
        method,
        (original) =>
          function call(...args) {
            calls.push(`${name}.${method}`);
            return original.apply(this, args);
          },
      );
    }
  }

  #watchQueue(name: string, queue: Queue): void {
    const messages = this.#messages;
    for (const method of ["send", "sendBatch"]) {
      this.#wrap(
        queue,
        method,
        (original) =>
          function send(...args) {
            messages.push(name);
            return original.apply(this, args);
          },
      );
    }
  }
}

function textOf(statement: unknown): string {
  return String(Reflect.get(Object(statement), "statement"));
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
