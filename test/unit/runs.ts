import type { Run } from "../../src/observe/run.ts";

let count = 0;

/** A run that ended well after 10 s at the hands of `agent`, with what a test says of it. */
export function run(changes: Partial<Run> = {}): Run {
  count += 1;
  return {
    task_id: `task-${count}`,
    task_type: "general",
    agent_id: "agent",
    created_at: "2026-11-22T10:00:00.000Z",
    started_at: "2026-11-22T10:00:01.000Z",
    end_reason: "success",
    attempt: 1,
    quality: 0.9,
    cost_usd: 0.01,
    tokens: 10,
    duration_s: 10,
    cause: null,
    troubles: [],
    ...changes,
  };
}

/** A run that failed of a cause. */
export function failed(cause: string, changes: Partial<Run> = {}): Run {
  return run({ end_reason: "failure", quality: null, cause, ...changes });
}

/** So many runs of a kind. */
export function times(many: number, changes: Partial<Run> = {}): Run[] {
  return Array.from({ length: many }, () => run(changes));
}

/** So many runs that failed of a cause. */
export function timesFailed(many: number, cause: string, changes: Partial<Run> = {}): Run[] {
  return Array.from({ length: many }, () => failed(cause, changes));
}
