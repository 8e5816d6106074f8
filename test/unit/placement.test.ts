import { describe, expect, it } from "vitest";

import { MAX_CANDIDATES, placementOf, rank } from "../../src/dispatch/pool/placement.ts";
import type { Member, PoolAgent } from "../../src/dispatch/pool/pool.ts";
import { agentOf, itemOf, memberOf, NOW } from "./pool-fixture.ts";

const item = itemOf("t", { requires: { capabilities: ["human"] } });

const member = (agent_id: string, agent: Partial<PoolAgent> = {}, life: Partial<Member> = {}) =>
  memberOf(agentOf(agent_id, { capabilities: ["human"], slots: 2, ...agent }), life);

const ids = (members: Member[]) =>
  rank(item, { members, now: NOW }).map(({ agent_id }) => agent_id);

describe("ranking", () => {
  it("puts who fits first, then who is there, then who has most room by weight, then by name", () => {
    const members = [
      member("f-unfit", { capabilities: [] }),
      member("e-offline", {}, { last_seen_at: NOW - 400_000 }),
      member("d-stale", {}, { last_seen_at: NOW - 100_000 }),
      member("c-busy", {}, { slots_in_use: 1 }),
      member("b"),
      member("a"),
      member("z-heavy", { weight: 2 }),
    ];

    const expected = ["z-heavy", "a", "b", "c-busy", "d-stale", "e-offline", "f-unfit"];
    expect(ids(members)).toEqual(expected);
    expect(ids(members.toReversed())).toEqual(expected);
  });

  it("says of each why", () => {
    const declined = { ...item, declined_by: ["ann"], ready_at: NOW - 30_000 };
    const members = [
      member("ann", {}, { isWaiting: true }),
      member("bob", { capabilities: [] }, { slots_in_use: 2 }),
    ];

    const alone = rank(declined, { members, now: NOW });
    const withOther = rank(declined, { members: [...members, member("cas")], now: NOW });

    expect(alone).toEqual([
      {
        agent_id: "ann",
        fits: true,
        free_slots: 2,
        reasons: [
          "fits",
          "2 of 2 slots free",
          "waits for a task",
          "declined this task, and nobody else fits",
        ],
      },
      {
        agent_id: "bob",
        fits: false,
        free_slots: 0,
        reasons: ["lacks capability human", "0 of 2 slots free", "online"],
      },
    ]);
    expect(withOther[0]?.reasons).toContain("declined this task");
  });
});

describe("the record of a decision", () => {
  it("names the chosen one first and keeps the list short", () => {
    const members = Array.from({ length: 30 }, (_, index) => member(`a${index + 10}`));
    const chosen = { agent_id: "a39", rule: "first_claim" } as const;

    const placement = placementOf(chosen, item, { members, now: NOW });

    expect(placement).toMatchObject({ ...chosen, at: "1970-01-01T00:16:40.000Z" });
    expect(placement.candidates).toHaveLength(MAX_CANDIDATES);
    expect(placement.candidates.slice(0, 2).map(({ agent_id }) => agent_id)).toEqual([
      "a39",
      "a10",
    ]);
  });
});
