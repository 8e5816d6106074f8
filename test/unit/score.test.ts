import { describe, expect, it } from "vitest";

import { CLOSED } from "../../src/dispatch/choice/push-breaker.ts";
import { afterAttempt, UNKNOWN } from "../../src/dispatch/choice/reputation.ts";
import { capacityOf, scored, servedBy } from "../../src/dispatch/choice/score.ts";
import { newLife } from "../../src/dispatch/pool/pool.ts";
import type { AgentLife, Member, PoolAgent, PoolItem } from "../../src/dispatch/pool/pool.ts";
import type { AttemptOutcome } from "../../src/protocol/attempt-outcome.ts";
import { agentOf, itemOf, memberOf, NOW, outcomeOf } from "./pool-fixture.ts";

const member = (agent_id: string, { agent = {}, life = {}, ...more }: MemberPatch = {}): Member => {
  const patch = { life: { ...newLife(0, NOW), ...life }, ...more };
  return memberOf(agentOf(agent_id, { slots: 4, ...agent }), patch);
};
type MemberPatch = { agent?: Partial<PoolAgent>; life?: Partial<AgentLife> } & Partial<
  Omit<Member, "agent" | "life">
>;

const first = (item: PoolItem, ...members: Member[]) =>
  scored(item, members, NOW)[0]?.member.agent.agent_id;

const knownFor = (...outcomes: Partial<AttemptOutcome>[]): Partial<AgentLife> => ({
  reputation: outcomes.reduce((known, more) => afterAttempt(known, outcomeOf(more)), UNKNOWN),
});

const item = itemOf("t");

describe("the score", () => {
  it("is the same for equal facts, whoever comes first in the list; the name decides", () => {
    const members = [member("bob"), member("ann"), member("cas")];

    const forth = scored(item, members, NOW);
    const back = scored(item, members.toReversed(), NOW);

    expect(forth.map(({ member: { agent } }) => agent.agent_id)).toEqual(["ann", "bob", "cas"]);
    expect(back).toEqual(forth);
  });

  it("prefers who has more free slots by weight", () => {
    const busy = member("ann", { slots_in_use: 2 });

    expect(first(item, busy, member("bob", { slots_in_use: 1 }))).toBe("bob");
    const strong = member("ann", { slots_in_use: 2, agent: { weight: 4 } });
    expect(first(item, strong, member("bob", { slots_in_use: 1 }))).toBe("ann");
  });

  it("prefers who has been served less of late", () => {
    const served = member("ann", { life: { served: 5 } });
    const long_ago = member("cas", { life: { served: 5, served_at: NOW - 6_000_000 } });

    expect(first(item, served, member("bob"))).toBe("bob");
    expect(first(item, served, long_ago)).toBe("cas");
  });

  it("is flipped by health: a stale executor, or one that loses its leases", () => {
    const stale = member("ann", { last_seen_at: NOW - 100_000 });
    const losing = member("ann", { life: knownFor({ kind: "lost", task_type: "testing" }) });

    expect(first(item, member("ann"), member("bob"))).toBe("ann");
    expect(first(item, stale, member("bob"))).toBe("bob");
    expect(first(item, losing, member("bob"))).toBe("bob");
  });

  it("is flipped by a breaker that waits for a probe", () => {
    const probing = member("ann", {
      agent: { isPush: true },
      life: { breaker: { ...CLOSED, open_until: NOW - 1 } },
    });

    expect(first(item, probing, member("bob", { agent: { isPush: true } }))).toBe("bob");
  });

  it("is flipped by history in tasks of the same type, and of no other", () => {
    const failing = knownFor({ kind: "failure" }, { kind: "failure" });
    const ann = member("ann", { life: failing });

    expect(first(item, ann, member("bob"))).toBe("bob");
    expect(first(itemOf("t", { task_type: "testing" }), ann, member("bob"))).toBe("ann");
  });

  it("weighs quality, cost and speed as the task's objective says", () => {
    const many = (outcome: Partial<AttemptOutcome>) => knownFor(...Array(20).fill(outcome));
    const members = [
      member("cheap", { life: many({ quality: 0.7, cost_usd: 0.01, duration_s: 60 }) }),
      member("fast", { life: many({ quality: 0.7, cost_usd: 0.2, duration_s: 6 }) }),
      member("good", { life: many({ quality: 1, cost_usd: 0.2, duration_s: 60 }) }),
    ];
    const choice = (objective: PoolItem["objective"]) =>
      first(itemOf("t", { objective }), ...members);

    expect([choice("cheap"), choice("fast"), choice("quality")]).toEqual(["cheap", "fast", "good"]);
  });

  it("adds wishes as they are weighed, and a little for what belongs together", () => {
    const eu = member("zoe", { agent: { labels: { region: "eu" } }, slots_in_use: 2 });
    const near = member("zoe", { life: { recent: ["parent"] } });
    const wish = itemOf("t", {
      requires: { labels: { region: { op: "eq", value: "eu", weight: 2 } } },
    });

    expect(first(wish, member("ann"), eu)).toBe("zoe");
    expect(first(itemOf("t", { affinity: ["parent"] }), member("ann"), near)).toBe("zoe");
    const busy = { ...near, slots_in_use: 1 };
    expect(first(itemOf("t", { affinity: ["parent"] }), member("ann"), busy)).toBe("ann");
  });

  it("lets nobody win by having done more: only successes are no better than no history", () => {
    const proven = member("bob", { life: knownFor({}, {}, {}, {}) });

    expect(first(item, member("ann"), proven)).toBe("ann");
  });
});

describe("what an executor was served", () => {
  it("counts half after ten minutes, and by what it can carry", () => {
    const life = { ...newLife(8, NOW) };

    expect(servedBy(life, NOW + 600_000)).toBe(4);
    expect(servedBy(life, NOW - 1)).toBe(8);
    expect(capacityOf(member("ann", { agent: { slots: 3, weight: 2 } }))).toBe(6);
  });
});
