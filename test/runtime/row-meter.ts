import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { PoolObject } from "../../src/dispatch/pool/pool-object.ts";
import { historyMessageSchema } from "../../src/protocol/queue-messages.ts";
import { taskViewSchema } from "../../src/protocol/task-view.ts";
import { TaskObject } from "../../src/task/task-object.ts";

/** What is billed: rows by what wrote them, and everything else by its count. */
export interface Meter {
  /** Rows written, by `<object>: <what>`. */
  rows: Record<string, number>;
  /** Calls of objects, by `<object>.<method>`. */
  calls: Record<string, number>;
  /** Messages sent, by queue. */
  messages: Record<string, number>;
  /** Lines written to the log, except those of queue consumers: nobody waits for these. */
  lines: number;
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
  readonly #writes: { by: object | string; what: string; rows: () => number }[] = [];
  readonly #uncounted: string[] = [];
  readonly #calls: string[] = [];
  readonly #messages: string[] = [];
  #lines = 0;
  #lastSeq = 0;
  #isFiring = false;

  /** The seq up to which the queue of history was told; 0 before the first message. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

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
    for (const method of ["log", "warn", "error"]) {
      this.#wrap(console, method, (original) => (...args) => {
        if (!String(args[0]).includes('"component":"queues"')) this.#lines += 1;
        return original.apply(console, args);
      });
    }
  }

  /** Fires an alarm by hand. */
  async fire(stub: DurableObjectStub): Promise<void> {
    this.#isFiring = true;
    await runDurableObjectAlarm(stub);
  }

  stop(): void {
    for (const restore of this.#restore.splice(0)) restore();
  }

  /** Forgets what was counted so far. */
  forget(): void {
    for (const counted of [this.#writes, this.#uncounted, this.#calls, this.#messages]) {
      counted.length = 0;
    }
    this.#lines = 0;
  }

  /**
   * What was counted since the last call.
   *
   * @throws Error when something was written whose rows nobody tells
   */
  take(): Meter {
    if (this.#uncounted.length > 0) throw new Error(`not counted: ${this.#uncounted.join("; ")}`);
    const rows: Record<string, number> = {};
    for (const { by, what, rows: written } of this.#writes.splice(0)) {
      const name = typeof by === "string" ? by : (this.#names.get(by) ?? "other");
      if (written() > 0) rows[`${name}: ${what}`] = (rows[`${name}: ${what}`] ?? 0) + written();
    }
    const calls = tally(this.#calls.splice(0));
    const messages = tally(this.#messages.splice(0));
    const lines = this.#lines;
    this.#lines = 0;
    // What runs side by side is counted in whatever order it comes.
    return { rows: sorted(rows), calls, messages, lines };
  }

  /** Replaces a method of a prototype by one that notes its call. */
  #wrap(target: object, method: string, around: (original: AnyFunction) => AnyFunction): void {
    const original = Reflect.get(target, method) as AnyFunction;
    Reflect.set(target, method, around(original));
    this.#restore.push(() => Reflect.set(target, method, original));
  }

  #watchStorage(storage: DurableObjectStorage): void {
    const [writes, uncounted] = [this.#writes, this.#uncounted];
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
    const alarms = Reflect.getPrototypeOf(storage) ?? {};
    this.#wrap(
      alarms,
      "setAlarm",
      (original) =>
        function setAlarm(...args) {
          writes.push({ by: this as object, what: "setAlarm", rows: () => 1 });
          return original.apply(this, args);
        },
    );
    const isByHand = () => {
      const wasFiring = this.#isFiring;
      this.#isFiring = false;
      return wasFiring;
    };
    this.#wrap(
      alarms,
      "deleteAlarm",
      (original) =>
        function deleteAlarm(...args) {
          // The test's way to fire an alarm takes it away first, which the platform does for nothing.
          if (!isByHand()) writes.push({ by: this as object, what: "deleteAlarm", rows: () => 1 });
          return original.apply(this, args);
        },
    );
    // The key-value side of an object does not tell what it writes.
    this.#wrap(
      Reflect.getPrototypeOf(storage) ?? {},
      "put",
      (original) =>
        function put(...args) {
          uncounted.push("storage.put");
          return original.apply(this, args);
        },
    );
  }

  #watchDatabase(): void {
    const [writes, uncounted] = [this.#writes, this.#uncounted];
    const note = (results: D1Result[], what: string): void => {
      for (const { meta } of results)
        writes.push({ by: "D1", what, rows: () => meta.rows_written });
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
            if (!/^\s*select\b/i.test(text)) uncounted.push(text);
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
      this.#wrap(queue, method, (original) => (...args) => {
        messages.push(name);
        const told = historyMessageSchema.safeParse(args[0]);
        if (told.success && told.data.form === "whole") {
          this.#lastSeq = taskViewSchema.parse(JSON.parse(told.data.view)).seq;
        }
        return original.apply(queue, args);
      });
    }
  }
}

function textOf(statement: unknown): string {
  return String(Reflect.get(Object(statement), "statement"));
}

function tally(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return sorted(counts);
}

function sorted(counts: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
