import { describe, expect, it } from "vitest";

import { UNKNOWN } from "../../src/dispatch/choice/reputation.ts";
import { askPools } from "../../src/dispatch/claim-round.ts";
import type { NamedPool, Round } from "../../src/dispatch/claim-round.ts";
import type { ClaimOutcome } from "../../src/dispatch/pool/pool-port.ts";
import { fakePool, offer } from "./fake-pool.ts";
import type { FakePool } from "./fake-pool.ts";

const round = (more: Partial<Round> = {}): Round => ({
  agent_id: "ann",
  slots: 10,
  max_tasks: 3,
  wait_ms: 0,
  claim_id: "c1",
  turn: 0,
  ...more,
});

const named = (...pools: FakePool[]): NamedPool[] =>
  pools.map((pool, index) => ({ name: `p${index}`, pool }));

const claimsOf = (pool: FakePool) => pool.calls.filter(([name]) => name === "claim");
const tasks = (outcome: { offers: { task_id: string; from: NamedPool }[] }) =>
  outcome.offers.map(({ task_id, from }) => `${from.name}/${task_id}`);

/** A pool that has these tasks and gives them out once. */
function stocked(...task_ids: string[]): FakePool {
  const left = task_ids.map(offer);
  const pool = fakePool({
    answer: ({ max_tasks }) => {
      const offers = left.splice(0, max_tasks);
      pool.inUse += offers.length;
      return { known: true, offers };
    },
  });
  return pool;
}

describe("one pool", () => {
  it("is asked once, waiting all the time there is", async () => {
    const pool = stocked("a");

    const outcome = await askPools(named(pool), round({ wait_ms: 20_000 }));

    expect(tasks(outcome)).toEqual(["p0/a"]);
    expect(pool.calls).toEqual([
      ["claim", { agent_id: "ann", max_tasks: 3, wait_ms: 20_000, claim_id: "c1" }],
    ]);
  });

  it("is told which slot is free with the same question", async () => {
    const pool = stocked("a");
    const releasing = { task_id: "t0", attempt: 2 };

    await askPools(named(pool), round({ releasing }));

    expect(claimsOf(pool)).toMatchObject([["claim", { max_tasks: 3, releasing }]]);
  });

  it("says that it does not know the executor", async () => {
    const pools = named(fakePool({ answer: () => ({ known: false, offers: [] }) }));

    expect(await askPools(pools, round())).toEqual({ offers: [], strangers: pools });
  });
});

describe("several pools", () => {
  it("are swept in turn without waiting, for no more than is asked", async () => {
    const [one, two, three] = [stocked("a", "b"), stocked("c", "d"), stocked("e")];

    const outcome = await askPools(named(one, two, three), round({ turn: 4, wait_ms: 9_000 }));

    expect(tasks(outcome)).toEqual(["p1/c", "p1/d", "p2/e"]);
    expect(claimsOf(one)).toEqual([]);
    expect(claimsOf(three)).toEqual([
      ["claim", { agent_id: "ann", max_tasks: 1, wait_ms: 0, claim_id: "c1", slots_elsewhere: 2 }],
    ]);
  });

  it("are told which slot is free before any of them is asked for a task", async () => {
    const [one, two] = [stocked("a"), stocked("b")];
    const releasing = { task_id: "t0", attempt: 2 };

    await askPools(named(one, two), round({ releasing }));

    for (const pool of [one, two]) {
      const [first, ...others] = claimsOf(pool).map(([, order]) => order);
      expect(first).toMatchObject({ max_tasks: 0, wait_ms: 0, releasing });
      expect(others.length).toBeGreaterThan(0);
      for (const order of others) expect(order).not.toHaveProperty("releasing");
    }
  });

  it("count the slots of all of them", async () => {
    const [one, two] = [fakePool({ inUse: 2 }), fakePool({ inUse: 1 })];

    await askPools(named(one, two), round());

    expect([claimsOf(one)[0]?.[1], claimsOf(two)[0]?.[1]]).toMatchObject([
      { slots_elsewhere: 1 },
      { slots_elsewhere: 2 },
    ]);
  });

  it("are waited on together; the first answer ends the other waits, and what is too much goes back", async () => {
    const later = Promise.withResolvers<ClaimOutcome>();
    const slow = fakePool({
      answer: ({ wait_ms }) => (wait_ms > 0 ? later.promise : { known: true, offers: [] }),
      async stopWaiting(claim_id) {
        slow.calls.push(["stopWaiting", claim_id]);
        // It had reserved a task just before it was told to stop.
        later.resolve({ known: true, offers: [offer("b")] });
      },
    });
    const fast = fakePool({
      answer: ({ wait_ms }) => ({ known: true, offers: wait_ms > 0 ? [offer("a")] : [] }),
    });

    const outcome = await askPools(named(fast, slow), round({ wait_ms: 20_000, max_tasks: 1 }));

    expect(tasks(outcome)).toEqual(["p0/a"]);
    expect(slow.calls).toContainEqual(["stopWaiting", "c1"]);
    expect(slow.calls).toContainEqual(["giveBack", "b", 1, "ann"]);
  });

  it("give back what another claim at the same time has made too much", async () => {
    const [one, two] = [stocked("a", "b"), fakePool()];
    one.presence = async () => [
      {
        agent_id: "ann",
        state: "online",
        last_seen_at: 1,
        assigned: 0,
        released: 0,
        slots_in_use: one.inUse,
        reputation: UNKNOWN,
      },
    ];
    const before = two.presence.bind(two);
    two.presence = async (agent_id) => {
      const isAfter = one.inUse > 0;
      two.inUse = isAfter ? 1 : 0;
      return before(agent_id);
    };

    const outcome = await askPools(named(one, two), round({ slots: 2 }));

    expect(tasks(outcome)).toEqual(["p0/a"]);
    expect(one.calls).toContainEqual(["giveBack", "b", 1, "ann"]);
  });

  it("keep what one of them gave when another one breaks, and break when all do", async () => {
    const broken = fakePool({
      answer: ({ wait_ms }) => {
        if (wait_ms > 0) throw new Error("broken");
        return { known: true, offers: [] };
      },
    });
    const good = fakePool({
      answer: ({ wait_ms }) => ({ known: true, offers: wait_ms > 0 ? [offer("a")] : [] }),
    });

    const kept = await askPools(named(broken, good), round({ wait_ms: 1_000 }));

    expect(tasks(kept)).toEqual(["p1/a"]);
    await expect(askPools(named(broken, broken), round({ wait_ms: 1_000 }))).rejects.toThrow(
      "broken",
    );
  });
});
