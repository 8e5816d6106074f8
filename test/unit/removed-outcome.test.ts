import { describe, expect, it } from "vitest";

import { outcomeOfRow, outcomeRowOf } from "../../src/history/removed-outcome.ts";
import { outcomeOfView } from "../../src/history/removed.ts";
import { at, viewOf } from "../task-news.ts";

const failed = viewOf({
  task_id: "old",
  status: "failed",
  phase: "ended",
  end_reason: "failure",
  completion_status: "failure",
  agent_id: "ann",
  parent_task_id: "above",
  ended_at: at(6),
});

const rowOf = (outcome: unknown) => ({
  task_id: "old",
  agent_id: "ann",
  outcome: JSON.stringify(outcome),
});

describe("the outcome in the row of a removed task", () => {
  it.each([
    ["with a parent", failed],
    ["without one", { ...failed, parent_task_id: null, agent_id: null }],
  ])("tells everything that was known of it: %s", (_what, view) => {
    const outcome = outcomeOfView(view);
    const row = { ...rowOf(outcomeRowOf(outcome)), agent_id: view.agent_id };

    expect(outcomeOfRow(row)).toEqual(outcome);
    expect(row.outcome.length).toBeLessThan(60);
  });

  it("is read from rows that were written before, with the names of everything", () => {
    const outcome = outcomeOfView(failed);

    expect(outcomeOfRow(rowOf(outcome))).toEqual(outcome);
  });

  it.each([[[]], [["research", "completed", "success"]], [{ task_id: "old" }], [null]])(
    "is none where the row tells none: %j",
    (told) => {
      expect(() => outcomeOfRow(rowOf(told))).toThrow("invalid");
    },
  );
});
