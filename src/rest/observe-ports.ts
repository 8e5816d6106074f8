import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { BulkCommand, BulkCommandAnswer } from "../protocol/bulk-command.ts";
import type { Approval, Lesson, LessonsQuery, NextSteps } from "../protocol/lesson.ts";
import type { Insights, Metrics, MetricsQuery } from "../protocol/observation.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Repairs } from "../protocol/repairs.ts";
import type { Hop } from "../protocol/span-names.ts";
import type { Repair, RepairRequest, StateView } from "../protocol/state-view.ts";
import type { TaskView } from "../protocol/task-view.ts";

/* What the REST face needs of those who look at all tasks, and act on many. */

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What is going on, how it has gone, and what stands out. Refused with unavailable while D1 is down. */
export interface ObservePort {
  metrics(tenant: string, query: MetricsQuery): Answer<Metrics>;
  insights(tenant: string, window: number): Answer<Insights>;
  state(tenant: string): Answer<StateView>;
  repairs(tenant: string): Answer<Repairs>;
  repair(tenant: string, request: RepairRequest): Answer<Repair>;
  lessons(
    tenant: string,
    query: LessonsQuery,
  ): Answer<{ items: Lesson[]; next_cursor: string | null }>;
}

/** What follows from tasks: commands to many of them, and tasks that executors recommend. */
export interface FollowUpPort {
  commandAll(by: Principal, request: BulkCommand): Answer<BulkCommandAnswer>;
  nextSteps(by: Principal, task_id: string): Answer<NextSteps>;
  approve(
    by: Principal,
    step: { task_id: string; index: number },
    approval: Approval,
    arrival: { traceId: string; hop: Hop; origin: string },
  ): Answer<{ view: TaskView; isNew: boolean }>;
}
