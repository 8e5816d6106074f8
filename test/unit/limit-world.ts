import { LimitBook } from "../../src/access/limit-book.ts";
import type { LimitBookParts } from "../../src/access/limit-book.ts";
import { leaseCallSchema } from "../../src/access/limit-door.ts";
import type { LeaseCall, LimitsDoor } from "../../src/access/limit-door.ts";
import { leaseOf, NO_LEASE, orderFor, spend, type Lease } from "../../src/access/limit-lease.ts";
import { DEFAULT_SETTING, type Setting } from "../../src/access/limit-setting.ts";
import { ok } from "../../src/lib/result.ts";
import type { OperationClass, PerClass } from "../../src/protocol/limits.ts";

/* The limits of one tenant on a clock of the test's own: an object that may lose its memory, and isolates. */

/** What an object keeps over the loss of its memory. */
function createStore() {
  let setting: Setting = DEFAULT_SETTING;
  const windows = new Map<string, { started_at: number; used: PerClass }>();
  const written = { settings: 0, windows: 0 };
  return {
    written,
    setting: () => setting,
    writeSetting: (next: Setting) => {
      setting = next;
      written.settings += 1;
    },
    windows: () => new Map(windows),
    writeWindow: (
      principal: string,
      { started_at, used }: { started_at: number; used: PerClass },
    ) => {
      windows.set(principal, { started_at, used });
      written.windows += 1;
    },
  };
}

/** What nothing has happened to. */
const QUIET = { refused: 0, answers: 0, faults: 0, scale: 1 };

export class LimitWorld {
  now = 1_000_000;
  lives = 0;
  leases = 0;
  lines: string[] = [];
  backlog: LimitBookParts["backlog"] = async () => ({ waiting: 0, oldest_ms: 0 });
  readonly store = createStore();
  book: LimitBook;

  constructor() {
    this.book = this.#wake();
  }

  #wake(): LimitBook {
    this.lives += 1;
    return new LimitBook({
      now: () => this.now,
      log: (level, event) => this.lines.push(`${level} ${event}`),
      store: this.store,
      life: `life-${this.lives}`,
      backlog: () => this.backlog(),
    });
  }

  evict(): void {
    this.book = this.#wake();
  }

  lease(call: LeaseCall) {
    this.leases += 1;
    return this.book.lease(call);
  }

  /** Reports answers, as any lease does. */
  report(seen: Partial<LeaseCall>) {
    const order = { ...orderFor(NO_LEASE, 1), principal: "reporter", operation: "notify" as const };
    return this.lease({ ...order, ...QUIET, ...seen });
  }

  get door(): LimitsDoor {
    return {
      lease: async (text) => JSON.stringify(this.lease(leaseCallSchema.parse(JSON.parse(text)))),
      view: async (scale) => JSON.stringify(this.book.view(scale)),
      change: async () => ok("{}"),
    };
  }

  /** The factor and its reason at present. */
  get factor() {
    return this.book.view(1).factor;
  }
}

/** An isolate without a network of its own: it says of each request whether it may pass. */
export class PlainIsolate {
  readonly #world: LimitWorld;
  readonly #leases = new Map<string, Lease>();
  /** Requests that passed, by window and class. */
  passed: { window: number; operation: OperationClass; at: number }[] = [];

  constructor(world: LimitWorld) {
    this.#world = world;
  }

  /** @param lost what of a call is lost, if one is made: then the request does not pass */
  draw(operation: OperationClass, lost: "nothing" | "call" | "answer" = "nothing"): boolean {
    const world = this.#world;
    let lease = this.#leases.get(operation) ?? NO_LEASE;
    for (;;) {
      const spent = spend(lease, world.now);
      if (spent.kind !== "ask") {
        this.#leases.set(operation, spent.lease);
        if (spent.kind === "refuse") return false;
        this.passed.push({ window: lease.window ?? 0, operation, at: world.now });
        return true;
      }
      const order = { ...orderFor(lease, 1), principal: "k1", operation, ...QUIET };
      const told = { ...lease, permits: 0, had: lease.had - lease.permits };
      this.#leases.set(operation, told);
      if (lost === "call") return false;
      const answer = world.lease(order);
      if (lost === "answer") return false;
      lease = leaseOf(answer, lease, world.now);
    }
  }
}
