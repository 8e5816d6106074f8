import { describe, expect, it } from "vitest";

import { BUILTIN_AGENT } from "../../src/dispatch/builtin.ts";
import {
  builtinFrom,
  builtinPlan,
  EXTERNAL_GRACE_MS,
} from "../../src/dispatch/pool/builtin-turn.ts";
import { ONLINE_MS, STALE_MS } from "../../src/dispatch/pool/pool.ts";
import type { Member, PoolAgent } from "../../src/dispatch/pool/pool.ts";
import {
  agentOf,
  entryOf as entry,
  itemOf as item,
  memberOf as member,
  NOW,
} from "./pool-fixture.ts";

const agent = (agent_id: string, more: Partial<PoolAgent> = {}) =>
  agentOf(agent_id, { slots: 2, ...more });

const view = (...members: Member[]) => ({ members, now: NOW });

describe("the turn of the built-in executor", () => {
  const load = { agent: BUILTIN_AGENT, free: 4, firstExpiry: null };
  const near = member(agent("ann"));

  it("comes at once when no external executor that fits is near", () => {
    const unfit = member(agent("bob", { task_types: ["testing"] }));
    const busy = member(agent("cas"), { slots_in_use: 2 });
    const stale = member(agent("dan"), { last_seen_at: NOW - ONLINE_MS - 1 });

    expect(builtinFrom(BUILTIN_AGENT, entry(item("t")), view(unfit, busy, stale))).toBe(NOW);
  });

  it("comes after the grace when one is", () => {
    expect(builtinFrom(BUILTIN_AGENT, entry(item("t")), view(near))).toBe(NOW + EXTERNAL_GRACE_MS);
  });

  it("comes at once when the external executor has declined", () => {
    const declined = entry(item("t", { declined_by: ["ann"] }));

    expect(builtinFrom(BUILTIN_AGENT, declined, view(near, member(BUILTIN_AGENT)))).toBe(NOW);
  });

  it("comes for what it does only in part only when nobody that fits is there, busy or not", () => {
    const skilled = agent("ann", { task_types: ["code_debugging"] });
    const debugging = entry(item("t", { task_type: "code_debugging" }));
    const declined = entry(item("t", { task_type: "code_debugging", declined_by: ["ann"] }));
    const from = (who: Member, what = debugging) => builtinFrom(BUILTIN_AGENT, what, view(who));

    expect(from(member(skilled, { slots_in_use: 2 }))).toBeNull();
    expect(from(member(skilled, { last_seen_at: NOW - STALE_MS }))).toBeNull();
    expect(from(member(skilled), declined)).toBeNull();
    expect(from(member(skilled, { last_seen_at: NOW - STALE_MS - 1 }))).toBe(NOW);
    expect(from(member({ ...skilled, isDraining: true }))).toBe(NOW);
    expect(from(near)).toBe(NOW);
  });

  it("never comes for a task that asks for what it lacks", () => {
    const human = entry(item("t", { requires: { capabilities: ["human"] } }));

    expect(builtinFrom(BUILTIN_AGENT, human, view())).toBeNull();
    expect(builtinPlan([human], load, view())).toEqual({ take: [], wakeAt: null });
  });

  it("takes what is due, and looks again when the first grace ends", () => {
    const old = entry(item("old"), { since: NOW - EXTERNAL_GRACE_MS });
    const fresh = entry(item("fresh"));
    const plan = builtinPlan([old, fresh], load, view(near));

    expect(plan).toEqual({
      take: [{ entry: old, rule: "builtin_after_grace" }],
      wakeAt: NOW + EXTERNAL_GRACE_MS,
    });
  });

  it("looks again at the whole minute after its first slot expires when it has none left", () => {
    const ready = ["a", "b"].map((task_id) => entry(item(task_id, { slot_seconds: 90 })));

    const one = builtinPlan(ready, { ...load, free: 1, firstExpiry: NOW + 200_000 }, view());
    const full = builtinPlan(ready, { ...load, free: 0, firstExpiry: NOW + 50_000 }, view());

    expect(one.take.map(({ entry: taken, rule }) => [taken.item.task_id, rule])).toEqual([
      ["a", "builtin_only"],
    ]);
    expect([one.wakeAt, full]).toEqual([1_140_000, { take: [], wakeAt: 1_080_000 }]);
  });

  it("prefers none that drains or whose breaker is open, though it be online", () => {
    const draining = member(agent("ann", { isDraining: true }));
    const broken = member(agent("bob", { isPush: true }));
    broken.life = { ...broken.life, breaker: { ...broken.life.breaker, open_until: NOW + 1 } };

    expect(builtinFrom(BUILTIN_AGENT, entry(item("t")), view(draining, broken))).toBe(NOW);
  });

  it("looks past 200 tasks inside their grace and no further", () => {
    const fresh = Array.from({ length: 200 }, (_, index) => entry(item(`t${index}`)));
    const old = entry(item("old"), { since: NOW - EXTERNAL_GRACE_MS });

    const behind = builtinPlan([...fresh, old], load, view(near));
    const within = builtinPlan([...fresh.slice(1), old], load, view(near));

    expect([behind.take.length, within.take.length]).toEqual([0, 1]);
    expect(behind.wakeAt).toBe(NOW + EXTERNAL_GRACE_MS);
  });
});
