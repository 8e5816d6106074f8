import { describe, expect, it } from "vitest";

import { usageOf } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  assign,
  beat,
  completed,
  later,
  live,
  order,
  refusalOf,
  stateOf,
  step,
  tick,
  typesOf,
} from "../task-life.ts";

describe("a heartbeat", () => {
  it("keeps the checkpoint and counts what was used, which never falls within an attempt", () => {
    const life = live(
      IN_PHASE.executing(),
      beat({ checkpoint: { page: 3 }, usage: { tokens: 50, cost_usd: 0.2 } }),
      beat({ usage: { tokens: 40 } }),
    );

    expect(stateOf(life).memo).toMatchObject({
      checkpoint: { page: 3 },
      tokens: 50,
      cost_usd: 0.2,
    });
    expect(life.log).toHaveLength(IN_PHASE.executing().log.length);
  });

  it("hands the checkpoint and the sum of what was used to the next attempt", () => {
    const first = live(IN_PHASE.executing(), beat({ checkpoint: "p3", usage: { tokens: 50 } }));
    const lost = step(later(first, 60), tick).life;
    const again = live(step(later(lost, 30), tick).life, assign(2));

    const life = live(again, beat({ usage: { tokens: 7 } }, "token-2"));

    expect(stateOf(life).memo).toMatchObject({
      attempt: 2,
      checkpoint: "p3",
      tokens: 7,
      earlier: { tokens: 50 },
    });
  });

  it.each([
    [790, []],
    [800, ["budget_warning"]],
    [1_000, ["budget_warning"]],
    [1_001, ["verdict"]],
  ])("with %d of 1000 tokens used brings %j", (tokens, events) => {
    const life = IN_PHASE.executing({ contract: { budget: { max_tokens: 1_000 } } });

    const { done, life: after } = step(life, beat({ usage: { tokens } }));

    expect(typesOf(done.events)).toEqual(events);
    expect(typesOf(step(after, beat({ usage: { tokens } })).done.events)).toEqual([]);
  });

  it("that exceeds two budgets at once brings one verdict", () => {
    const life = IN_PHASE.executing({ contract: { budget: { max_tokens: 1, max_cost_usd: 1 } } });

    const { done } = step(life, beat({ usage: { tokens: 2, cost_usd: 2 } }));

    expect(typesOf(done.events)).toEqual(["verdict"]);
  });

  it("is counted once with what the completing notification says was used", () => {
    const life = live(
      IN_PHASE.executing(),
      beat({ usage: { tokens: 60, cost_usd: 0.7 } }),
      completed(),
    );

    expect(usageOf(stateOf(life))).toEqual({ tokens: 100, cost_usd: 0.7 });
  });

  it("with what was granted stays within the budget", () => {
    const life = live(
      IN_PHASE.executing({ contract: { budget: { max_tokens: 1_000 } } }),
      order("grant_resources"),
    );

    expect(typesOf(step(life, beat({ usage: { tokens: 1_500 } })).done.events)).toEqual([]);
  });

  it("renews the lease, and is refused once the lease is void", () => {
    const renewed = live(later(IN_PHASE.executing(), 59), beat());

    expect(refusalOf(step(later(renewed, 59), beat()).done)).toBeNull();
    expect(refusalOf(step(later(renewed, 60), beat()).done)).toBe("lease_lost");
  });
});
