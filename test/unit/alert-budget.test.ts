import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { budgetOf, burnRate } from "../../src/observe/alerts/objectives/budget.ts";
import {
  isDefaultObjective,
  objectivesInForce,
} from "../../src/observe/alerts/objectives/default-objectives.ts";
import { defaultRules, rulesInForce } from "../../src/observe/alerts/rules/default-rules.ts";
import { alertRuleRequestSchema, alertRuleSchema } from "../../src/protocol/alerts.ts";

describe("an error budget", () => {
  it.each([
    [0.99, { good: 995, total: 1_000 }, { attained: 0.995, budget_total: 10, budget_left: 5 }],
    [0.99, { good: 990, total: 1_000 }, { attained: 0.99, budget_total: 10, budget_left: 0 }],
    [0.99, { good: 980, total: 1_000 }, { attained: 0.98, budget_total: 10, budget_left: -10 }],
    [0.9, { good: 7, total: 7 }, { attained: 1, budget_total: 0.7, budget_left: 0.7 }],
    [0.999, { good: 0, total: 0 }, { attained: null, budget_total: 0, budget_left: 0 }],
  ])("of %d allows its share of what there was", (target, share, expected) => {
    expect(budgetOf(target, share)).toEqual(expected);
  });

  it.each([
    ["lasts its window at 1", 0.99, { good: 99, total: 100 }, 1],
    ["burns twice as fast", 0.99, { good: 98, total: 100 }, 2],
    ["burns at 20 where all is bad", 0.95, { good: 0, total: 7 }, 20],
    ["does not burn where all is good", 0.95, { good: 7, total: 7 }, 0],
    ["has no rate of nothing", 0.95, { good: 0, total: 0 }, null],
  ])("%s", (_title, target, share, rate) => {
    expect(burnRate(target, share)).toBe(rate);
  });

  it("is spent, by as much as the burn rate is above 1, in any window", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(0.5, 0.9, 0.99, 0.999),
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (target, total, fraction) => {
          const good = Math.round(total * fraction);
          const { budget_total, budget_left } = budgetOf(target, { good, total });
          const rate = burnRate(target, { good, total }) ?? Number.NaN;

          expect(1 - budget_left / budget_total).toBeCloseTo(rate, 4);
        },
      ),
    );
  });
});

describe("what comes with Batuta", () => {
  const objectives = objectivesInForce([]);
  const rules = defaultRules(objectives);

  it("is in the form that a tenant could have put it", () => {
    for (const rule of rules) {
      const { rule_id: _rule_id, source: _source, updated_at: _updated_at, ...request } = rule;
      expect(alertRuleRequestSchema.parse(request)).toEqual(request);
      expect(alertRuleSchema.parse(rule)).toEqual(rule);
    }
    expect(new Set(rules.map(({ rule_id }) => rule_id)).size).toBe(rules.length);
  });

  it("watches each objective over two windows, gravely and less so", () => {
    const burns = rules.filter(({ slo_id }) => slo_id === "task-success");

    expect(
      burns.map(({ rule_id, window_s, threshold, severity }) => [
        rule_id,
        window_s,
        threshold,
        severity,
      ]),
    ).toEqual([
      ["task-success-burn-fast", 3_600, 14.4, "critical"],
      ["task-success-burn-slow", 21_600, 6, "error"],
    ]);
  });

  it("is replaced by what a tenant puts under its id", () => {
    const [first] = rules;
    const [objective] = objectives;
    if (first === undefined || objective === undefined) throw new Error("nothing comes with it");
    const own = { ...first, is_enabled: false, source: "tenant" as const };
    const ownObjective = { ...objective, target: 0.5, source: "tenant" as const };

    expect(
      rulesInForce([own], objectives).filter(({ rule_id }) => rule_id === own.rule_id),
    ).toEqual([own]);
    expect(rulesInForce([own], objectives)).toHaveLength(rules.length);
    expect(objectivesInForce([ownObjective])).toHaveLength(objectives.length);
    expect(objectivesInForce([ownObjective])).toContainEqual(ownObjective);
    expect(isDefaultObjective(objective.slo_id)).toBe(true);
    expect(isDefaultObjective("mine")).toBe(false);
  });
});
