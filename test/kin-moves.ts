import fc from "fast-check";

import type { Child, Family } from "../src/task/kin/family.ts";
import type { Command } from "../src/task/machine/commands.ts";
import type { TaskState } from "../src/task/machine/state.ts";

/** The family after one of its children was adopted, or has used something, or has ended. */
export type KinPlan = (state: TaskState | null) => Family | null;

function childOf(number: number, report: Partial<NonNullable<Child["report"]>> | null): Child {
  const used = { cost_usd: 0, tokens: 0, attempts: 0, children: 0 };
  const base = {
    task_id: `child-${number}`,
    task_type: "general" as const,
    phase: "executing" as const,
    is_ended: false,
    status: "running" as const,
    end_reason: null,
    completion_status: null,
    agent_id: "bob",
    seq: 1,
    percentage: null,
    height: 0,
    used,
  };
  return {
    task_id: base.task_id,
    weight: 1,
    reserved: { cost_usd: null, tokens: null, attempts: null, children: null },
    adopted_at: 0,
    report: report === null ? null : { ...base, ...report },
  };
}

/** What may happen to the children of a task. */
export const kinPlans: fc.Arbitrary<KinPlan> = fc
  .record({
    number: fc.constantFrom(1, 2),
    news: fc.constantFrom("adopted", "used", "succeeded", "failed"),
  })
  .map(({ number, news }) => (state) => {
    if (state === null) return null;
    const known = state.family?.children ?? [];
    const before = known.find(({ task_id }) => task_id === `child-${number}`);
    if (before === undefined && (news !== "adopted" || state.verdict !== null)) return state.family;
    if (before?.report?.is_ended === true) return state.family;
    const used = { cost_usd: 0, tokens: 1_500, attempts: 1, children: 0 };
    const reports = {
      adopted: null,
      used: { used },
      succeeded: { is_ended: true, end_reason: "success" as const },
      failed: { is_ended: true, end_reason: "failure" as const },
    };
    const child = childOf(number, reports[news]);
    return { children: [...known.filter(({ task_id }) => task_id !== child.task_id), child] };
  });

/** The parent looks at its family. */
export const heard = (): Command => ({ type: "family", results: [] });

/** The parent of the task itself is over. */
export const stopped = (): Command => ({
  type: "stop",
  command_id: "stop-1",
  reason: "timeout",
  message: "the parent is over",
});
