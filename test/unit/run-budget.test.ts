import { describe, expect, it } from "vitest";

import { MOST_SENT, RUN_MS, RunBudget } from "../../src/delivery/endpoint/run-budget.ts";

describe("the budget of a run", () => {
  it("is over after a minute", () => {
    let now = 1_000;
    const budget = new RunBudget(() => now);

    now += RUN_MS - 1;
    const before = budget.isOver;
    now += 1;

    expect([before, budget.isOver]).toEqual([false, true]);
  });

  it("is over when so much has left that two runs of one invocation stay below 10,000 requests", () => {
    const budget = new RunBudget(() => 0);

    budget.spend(null);
    for (let sent = 1; sent < MOST_SENT; sent += 1) budget.spend("turn");
    const before = budget.isOver;
    const last = budget.spend("turn");

    expect([before, last, budget.isOver]).toEqual([false, "turn", true]);
    expect(2 * MOST_SENT).toBeLessThan(10_000);
  });
});
