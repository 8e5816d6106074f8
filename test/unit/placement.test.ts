import { describe, expect, it } from "vitest";

import {
  MAX_CANDIDATES,
  outlookOf,
  placementOf,
  rank,
} from "../../src/dispatch/choice/placement.ts";
import { afterAttempt, UNKNOWN } from "../../src/dispatch/choice/reputation.ts";
import { scored } from "../../src/dispatch/choice/score.ts";
import { newLife } from "../../src/dispatch/pool/pool.ts";
import type { Member, PoolAgent } from "../../src/dispatch/pool/pool.ts";
import { agentOf, itemOf, memberOf, NOW, outcomeOf } from "./pool-fixture.ts";

const item = itemOf("t", { requires: { capabilities: ["human"] } });

const member = (agent_id: string, agent: Partial<PoolAgent> = {}, life: Partial<Member> = {}) =>
  memberOf(agentOf(agent_id, { capabilities: ["human"], slots: 2, ...agent }), life);

const viewOf = (members: Member[]) => ({ members, now: NOW });

const ids = (members: Member[]) =>
  rank(item, members, viewOf(members)).map(({ agent_id }) => agent_id);

const SNAPSHOT = { snapshot_id: "snap_1", ready: 3, agents_online: 2, slots_free: 1 };

describe("ranking", () => {
  it("puts who fits first, then who is there, then who scores best, then by name", () => {
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

  it("says of each why, with its score and what that is made of", () => {
    const declined = { ...item, declined_by: ["ann"], ready_at: NOW - 30_000 };
    const members = [
      member("ann", {}, { isWaiting: true }),
      member("bob", { capabilities: [] }, { slots_in_use: 2 }),
    ];
    const more = [...members, member("cas")];

    const alone = rank(declined, members, viewOf(members));
    const withOther = rank(declined, more, viewOf(more));

    expect(alone).toEqual([
      {
        agent_id: "ann",
        fits: true,
        free_slots: 2,
        score: 2.725,
        parts: { load: 1, fairness: 1, wishes: 0, health: 1, history: 0.975, affinity: 0 },
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
        score: null,
        parts: null,
        reasons: ["lacks capability human", "0 of 2 slots free", "online"],
      },
    ]);
    expect(withOther.find(({ agent_id }) => agent_id === "ann")?.reasons).toContain(
      "declined this task",
    );
  });

  it("says of a draining executor and of one behind an open breaker that they get nothing", () => {
    const breaker = { failures: 3, pauses: 1, open_until: NOW + 1, probing_since: null };
    const draining = member("ann", { isDraining: true });
    const broken = member("bob", { isPush: true }, { life: { ...newLife(0, NOW), breaker } });
    const members = [draining, broken];

    const reasons = rank(item, members, viewOf(members)).map((one) => one.reasons.at(-1));

    expect(reasons).toEqual(["draining", "its breaker is open after failed pushes"]);
  });
});

describe("the record of a decision", () => {
  it("names the chosen one first, keeps the list short, and refers to its snapshot", () => {
    const members = Array.from({ length: 30 }, (_, index) => member(`a${index + 10}`));
    const chosen = { agent_id: "a39", rule: "first_claim" } as const;
    const rivals = scored(item, members.slice(29), NOW);
    const choice = { ...chosen, rivals, others: members, snapshot: SNAPSHOT };

    const placement = placementOf(choice, item, viewOf(members));

    expect(placement).toMatchObject({ ...chosen, ...SNAPSHOT, at: "1970-01-01T00:16:40.000Z" });
    expect(placement.candidates).toHaveLength(MAX_CANDIDATES);
    expect(placement.candidates.slice(0, 2).map(({ agent_id }) => agent_id)).toEqual([
      "a39",
      "a10",
    ]);
  });
});

describe("the outlook", () => {
  const skilled = (duration_s: number) => {
    const reputation = afterAttempt(UNKNOWN, outcomeOf({ duration_s }));
    return { ...newLife(0, NOW), reputation };
  };

  it("is a start at once while a slot is free for it", () => {
    const members = [member("ann", {}, { slots_in_use: 1 })];

    expect(outlookOf(item, 1, members, NOW)).toEqual({
      estimated_start: NOW,
      unblocked_by: ["ann asks for a task"],
    });
  });

  it("is so many mean durations away as rounds of the slots come before it", () => {
    const busy = { slots_in_use: 2, life: skilled(100) };
    const members = [member("ann", {}, busy), member("bob", {}, { slots_in_use: 2 })];

    const starts = [1, 4, 5].map((place) => outlookOf(item, place, members, NOW).estimated_start);

    expect(starts).toEqual([NOW + 100_000, NOW + 100_000, NOW + 200_000]);
    expect(outlookOf(item, 1, members, NOW).unblocked_by).toEqual([
      "ann frees a slot",
      "bob frees a slot",
    ]);
  });

  it("is unknown without a duration or an executor, and says what would help", () => {
    const full = [member("ann", {}, { slots_in_use: 2 })];
    const gone = [member("ann", {}, { last_seen_at: null }), member("bob", { isDraining: true })];

    expect(outlookOf(item, 1, full, NOW).estimated_start).toBeNull();
    expect(outlookOf(item, 1, [], NOW).unblocked_by).toEqual([
      "an executor that fits registers in this pool",
    ]);
    expect(outlookOf(item, 1, gone, NOW)).toEqual({
      estimated_start: null,
      unblocked_by: ["ann comes back", "POST /v1/agents/bob/activate"],
    });
  });
});
