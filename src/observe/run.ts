import * as z from "zod";

import { endReasonSchema, taskTypeSchema } from "../protocol/enums.ts";

/** A task as figures are made from it: what history knows of it at this moment. Durations in seconds. */
export const runSchema = z.strictObject({
  task_id: z.string(),
  task_type: taskTypeSchema,
  agent_id: z.string().nullable(),
  created_at: z.string(),
  started_at: z.string().nullable(),
  end_reason: endReasonSchema.nullable(),
  /** Assignments, declined ones included. */
  attempt: z.int(),
  quality: z.number().nullable(),
  cost_usd: z.number(),
  tokens: z.number(),
  duration_s: z.number(),
  /** Class of the root cause, else the error's type; null where nothing failed. */
  cause: z.string().nullable(),
  /** All classes of problems that its report names, and what was done about each; null in older reports. */
  troubles: z.array(z.strictObject({ class: z.string(), remedy: z.string().nullable() })),
});
export type Run = z.infer<typeof runSchema>;

/** A question that a task has asked. */
export interface Question {
  task_id: string;
  state: string;
  created_at: string;
  deadline: string | null;
}

/** Whether a run says how well it went: one that was cancelled does not. */
export function isJudged({ end_reason }: Run): boolean {
  return end_reason !== null && end_reason !== "cancelled";
}

/** Whether a run ended well. */
export function isSuccess({ end_reason }: Run): boolean {
  return end_reason === "success";
}

/** Judged runs that did not end well. */
export function failuresOf(runs: readonly Run[]): Run[] {
  return runs.filter((run) => isJudged(run) && !isSuccess(run));
}

/** Share of the judged runs that ended well, 0-1; null where none was judged. */
export function successRateOf(runs: readonly Run[]): number | null {
  const judged = runs.filter(isJudged);
  return judged.length === 0 ? null : judged.filter(isSuccess).length / judged.length;
}

/** How long the judged runs that started took, ascending, in seconds. */
export function durationsOf(runs: readonly Run[]): number[] {
  return runs
    .filter((run) => isJudged(run) && run.started_at !== null)
    .map(({ duration_s }) => duration_s)
    .toSorted((a, b) => a - b);
}

/** What a failed run failed of, when it does not say: how it ended. */
export function causeOf({ cause, end_reason }: Run): string {
  return cause ?? end_reason ?? "unknown";
}
