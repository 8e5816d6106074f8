import { describe, expect, it } from "vitest";

import type { ChildReport } from "../../src/protocol/kin.ts";
import { adopt } from "../../src/task/kin/adoption.ts";
import { withReport } from "../../src/task/kin/family.ts";
import { childReportOf, outcomeOf } from "../../src/task/kin/outcome.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import {
  IN_PHASE,
  ORCHESTRATOR,
  ORIGIN,
  START,
  UNBORN,
  failed,
  live,
  request,
  stateOf,
  step,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const heard = (results: ChildReport[]): Command => ({ type: "family", results });

/** A parent that joins any of so many children for the best, one of which has succeeded. */
function parentOf(expected: number): Life {
  const task = request({
    subtasks: { expected, join: "any", aggregation: "best" },
    execution_options: { quality_threshold: 0.8 },
  });
  const life = live(UNBORN, { type: "submit", origin: ORIGIN, task, actor: ORCHESTRATOR });
  const adopted = adopt(stateOf(life), [{ task_id: "kid", weight: 1, max_retries: 0 }], START);
  if (!adopted.ok) throw new Error(adopted.refusal.detail);
  const told = childReportOf(stateOf(IN_PHASE.executing()));
  const report = { ...told, task_id: "kid", is_ended: true, end_reason: "success" } as const;
  const family = withReport({ children: adopted.value }, report);
  return { ...life, state: { ...stateOf(life), family } };
}

describe("a task and what its kin contribute", () => {
  it("is not decided by a success that breaks its gates while others may still qualify", () => {
    const ended = (task_id: string, overall_score: number): ChildReport => ({
      ...childReportOf(stateOf(IN_PHASE.executing())),
      task_id,
      is_ended: true,
      end_reason: "success",
      result: task_id,
      quality: { overall_score },
    });
    const poor = ended("child", 0.2);
    const life = parentOf(2);

    expect(step(life, heard([poor])).done.state?.verdict).toBeNull();
    const { done } = step(life, heard([poor, ended("other", 0.9)]));
    expect(done.state?.verdict).toMatchObject({ reason: "success", result: "other" });
    const single = parentOf(1);
    expect(step(single, heard([poor])).done.state?.verdict).toMatchObject({
      error: { type: "result_rejected" },
    });
  });

  it("tells those that wait for it what its failed attempt has left, and its parent how it ended", () => {
    const life = live(
      IN_PHASE.executing(),
      failed({ retry_recommended: false, partial_results: { steps: [1, 2] } }),
    );

    expect(outcomeOf(stateOf(life)).partial_results).toEqual({ steps: [1, 2] });
    expect(childReportOf(stateOf(life))).not.toHaveProperty("partial_results");
  });
});
