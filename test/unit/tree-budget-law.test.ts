import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ChildReport } from "../../src/protocol/kin.ts";
import { adopt } from "../../src/task/kin/adoption.ts";
import { withReport } from "../../src/task/kin/family.ts";
import { committedInTree, limitsOf } from "../../src/task/kin/tree-budget.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import { offer, report } from "../children.ts";
import { IN_PHASE, START, stateOf } from "../task-life.ts";

function parentWith(budget: Record<string, number>): TaskState {
  return stateOf(IN_PHASE.executing({ contract: { budget } }));
}

function hearing(state: TaskState, ...reports: ChildReport[]): TaskState {
  const family = reports.reduce(withReport, state.family ?? { children: [] });
  return { ...state, family };
}

const RESOURCES = ["cost_usd", "tokens", "attempts", "children"] as const;

const moves = fc.array(
  fc.record({
    child: fc.integer({ min: 0, max: 9 }),
    ask: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
    use: fc.double({ min: 0, max: 1, noNaN: true }),
    isEnd: fc.boolean(),
    isAdoption: fc.boolean(),
  }),
  { maxLength: 40 },
);

describe("the law of a tree's budget", () => {
  it("holds whatever is adopted, used and ended: nothing beyond the limit is ever set aside", () => {
    const budget = { max_tokens: 200, max_cost_usd: 3, max_attempts: 12, max_children: 6 };
    fc.assert(
      fc.property(moves, (plan) => {
        let state = parentWith(budget);
        for (const { child, ask, use, isEnd, isAdoption } of plan) {
          const id = `c${child}`;
          if (isAdoption) {
            const wish = ask === undefined ? {} : { max_tokens: ask, max_cost_usd: ask / 20 };
            const adopted = adopt(state, [offer(id, wish)], START);
            if (adopted.ok) {
              const children = [...(state.family?.children ?? []), ...adopted.value];
              state = { ...state, family: { children } };
            }
          } else {
            const known = state.family?.children.find(({ task_id }) => task_id === id);
            const used = Object.fromEntries(
              RESOURCES.map((name) => [name, Math.floor((known?.reserved[name] ?? 0) * use)]),
            );
            state = hearing(state, report(id, used, { is_ended: isEnd }));
          }
          const limits = limitsOf(state);
          const committed = committedInTree(state);
          for (const name of RESOURCES) {
            expect(committed[name]).toBeLessThanOrEqual((limits[name] ?? Infinity) + 1e-6);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
