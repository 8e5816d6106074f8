import { instant } from "../../lib/ports.ts";
import type { PlanRecord, Request, RequestView } from "../../protocol/request.ts";
import type { TaskView } from "../../protocol/task-view.ts";
import type { BatchRecord, RequestRecord } from "../batch/batch-record.ts";
import { countsOf, outcomesOf, stopView } from "../batch/batch-view.ts";
import { isPlanning, standingOf } from "../batch/batch.ts";

/** A request that is being carried out: a batch with a goal and a plan. */
export type RequestBatch = BatchRecord & { plan: { request: RequestRecord } };

/** Whether a batch came of a request. */
export function isRequest(record: BatchRecord): record is RequestBatch {
  return record.plan.request !== null;
}

/** The tasks of a request that exist or may exist, the one that plans included. */
export function tasksOfRequest({ plan }: RequestBatch): string[] {
  const { planner } = plan.request;
  return [
    ...(planner === null ? [] : [planner.task_id]),
    ...plan.items.map(({ task_id }) => task_id),
  ];
}

/** A request as everyone sees it, with what its tasks say of themselves. */
export function requestViewOf(
  record: RequestBatch,
  tasks: readonly TaskView[],
  isAnyGone: boolean,
): RequestView {
  const { plan: batch } = record;
  const { request, plan, planner, rejection } = batch.request;
  const { state, stop, ended_at } = standingOf(record);
  const live = new Map(tasks.map(({ task_id, status }) => [task_id, status]));
  const outcomes = outcomesOf(record, live);
  return {
    request_id: batch.batch_id,
    goal: request.goal,
    state: isPlanning(record) ? "planning" : state,
    plan,
    planning_task_id: planner?.task_id ?? null,
    rejection:
      rejection === null
        ? null
        : { code: rejection.code, detail: rejection.detail, errors: rejection.errors },
    tasks: outcomes.map((outcome) => ({
      index: outcome.index,
      task_id: batch.items[outcome.index]?.task_id ?? "",
      status: "status" in outcome ? outcome.status : null,
      problem: "problem" in outcome ? outcome.problem : null,
    })),
    counts: countsOf(outcomes),
    stop: stopView(stop),
    // The orchestrator has no model to ask: what it decides, it decides by rules.
    tokens: {
      orchestrator: 0,
      executor: isAnyGone ? null : tasks.reduce((sum, { usage }) => sum + usage.tokens, 0),
    },
    metadata: request.metadata ?? null,
    tags: request.tags ?? [],
    created_at: instant(batch.created_at),
    ended_at: ended_at === null ? null : instant(ended_at),
  };
}

/** A plan that is only shown. */
export function dryRunView(request: Request, plan: PlanRecord): RequestView {
  return {
    request_id: null,
    goal: request.goal,
    state: "planned",
    plan,
    planning_task_id: null,
    rejection: null,
    tasks: [],
    counts: countsOf([]),
    stop: null,
    tokens: { orchestrator: 0, executor: 0 },
    metadata: request.metadata ?? null,
    tags: request.tags ?? [],
    created_at: plan.decided_at,
    ended_at: null,
  };
}
