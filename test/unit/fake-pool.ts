import { UNKNOWN } from "../../src/dispatch/choice/reputation.ts";
import type { ClaimOrder, ClaimOutcome, PoolPort } from "../../src/dispatch/pool/pool-port.ts";

/** A pool port that records its calls and answers what a test tells it. Unit tests of use cases only. */
export interface FakePool extends PoolPort {
  calls: unknown[][];
  answer: (order: ClaimOrder) => ClaimOutcome | Promise<ClaimOutcome>;
  inUse: number;
}

/** A pool that knows everybody and has nothing. */
export function fakePool(more: Partial<FakePool> = {}): FakePool {
  const calls: unknown[][] = [];
  const note =
    (name: string) =>
    async (...parameters: unknown[]) => {
      calls.push([name, ...parameters]);
    };
  const pool: FakePool = {
    calls,
    inUse: 0,
    answer: () => ({ known: true, offers: [] }),
    register: note("register"),
    deregister: note("deregister"),
    announce: note("announce"),
    release: note("release"),
    stopWaiting: note("stopWaiting"),
    giveBack: note("giveBack"),
    reservation: async () => null,
    pushed: note("pushed"),
    explain: async () => null,
    snapshot: async () => null,
    async claim(order) {
      calls.push(["claim", order]);
      return pool.answer(order);
    },
    async presence(agent_id = "ann") {
      const life = { last_seen_at: 1_000, assigned: 2, released: 1, reputation: UNKNOWN };
      return [{ agent_id, state: "online", slots_in_use: pool.inUse, ...life }];
    },
    ...more,
  };
  return pool;
}

/** An offer of attempt 1. */
export const offer = (task_id: string) => ({ task_id, attempt: 1, decision: "{}" });
