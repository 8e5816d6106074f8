import * as z from "zod";

import { mergePatch } from "../lib/merge-patch.ts";
import { derivedId } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import { faultsOf } from "../protocol/faults.ts";
import type { Approval, NextSteps } from "../protocol/lesson.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { taskExecutionSchema } from "../protocol/task-execution.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { TaskEvent, TaskView } from "../protocol/task-view.ts";
import type { Tasks } from "./tasks.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What recommendations are read from, and what approving one does. */
export type NextStepsParts = Pick<Tasks, "view" | "events" | "submit">;

/** How an approval came in. */
type Arrival = Pick<Parameters<Tasks["submit"]>[2], "traceId" | "hop" | "origin">;

/** Use cases of what executors recommend to do next. */
export interface FollowUps {
  /** The recommendations of the result as drafts; none before there is a result. Refused: task_not_found. */
  nextSteps: (by: Principal, task_id: string) => Answer<NextSteps>;
  /**
   * Submits a draft, changed by a merge patch. The same approval again gives the same task.
   *
   * Refused: task_not_found, validation_failed (no such step), patch_rejected, and what a submission is refused for.
   */
  approve: (
    by: Principal,
    step: { task_id: string; index: number },
    approval: Approval,
    arrival: Arrival,
  ) => Answer<{ view: TaskView; isNew: boolean }>;
}

/** Events of one page; the result is among the last few of a log, so the first page mostly has it. */
const EVENTS_PAGE = 200;

/** What a description is: judged by the contract itself, which counts code points. */
const descriptionSchema = taskExecutionSchema.shape.description;

/** The part of a task_completed event that recommends. */
const recommendedSchema = z.object({ data: z.object({ next_steps: z.array(z.string()) }) });

/** A recommendation as a task: of the same kind and in the same place as the one it came from. */
function draftOf(task: TaskView, index: number, text: string, id: string): TaskExecution {
  const isDescription = descriptionSchema.safeParse(text).success;
  const description = isDescription ? text : `Next step of ${task.task_id}: ${text}`;
  return taskExecutionSchema.parse({
    task_id: `next_${id}`,
    task_type: task.task_type,
    description,
    priority: task.priority,
    pool: task.pool,
    context: { previous_tasks: [task.task_id] },
    metadata: { next_step_of: task.task_id, next_step: index },
    tags: task.tags,
  });
}

/** The draft as it is submitted, or why it can't be. */
function patched(
  draft: TaskExecution,
  task_id: string,
  overrides: Approval["overrides"],
): Result<TaskExecution, Refusal> {
  const changed = mergePatch(draft, overrides ?? {});
  const parsed = taskExecutionSchema.safeParse(changed);
  const rejected = (errors: Refusal["errors"]): Result<never, Refusal> =>
    refuse({
      code: "patch_rejected",
      detail: "The draft with these overrides is no valid task.",
      ...(errors && { errors }),
    });
  if (!parsed.success) {
    const faults = faultsOf(parsed.error, changed);
    return rejected(faults.map((fault) => ({ ...fault, pointer: `/overrides${fault.pointer}` })));
  }
  if (parsed.data.task_id !== draft.task_id) {
    const detail = `is settled: the task of this step is ${draft.task_id}, so that it is created once`;
    return rejected([{ pointer: "/overrides/task_id", code: "custom", detail }]);
  }
  // Whatever else is changed, the task names the one that it follows.
  const previous = parsed.data.context?.previous_tasks ?? [];
  if (previous.includes(task_id)) return ok(parsed.data);
  const context = { ...parsed.data.context, previous_tasks: [task_id, ...previous].slice(0, 100) };
  return ok({ ...parsed.data, context });
}

/** The texts that the result recommends; the last page of the log first, then all of it. */
async function recommended(
  { events }: NextStepsParts,
  by: Principal,
  { task_id, seq }: TaskView,
): Answer<string[]> {
  const textsOf = (items: readonly TaskEvent[]) => {
    const result = items.findLast(({ type }) => type === "task_completed");
    const found = recommendedSchema.safeParse(result?.data);
    return result === undefined ? null : found.success ? found.data.data.next_steps : [];
  };
  const last = Math.max(0, seq - EVENTS_PAGE);
  const page = await events(by, task_id, { after: last, limit: EVENTS_PAGE });
  if (!page.ok) return page;
  let texts = textsOf(page.value.items);
  let after: number | null = last === 0 ? null : 0;
  while (texts === null && after !== null && after < last) {
    const earlier = await events(by, task_id, { after, limit: EVENTS_PAGE });
    if (!earlier.ok) return earlier;
    texts = textsOf(earlier.value.items);
    after = earlier.value.next_cursor === null ? null : Number(earlier.value.next_cursor);
  }
  return ok(texts ?? []);
}

/** The use cases of next steps. */
export function createFollowUps(parts: NextStepsParts): FollowUps {
  const nextSteps: FollowUps["nextSteps"] = async (by, task_id) => {
    const task = await parts.view(by, task_id);
    if (!task.ok) return task;
    // No result, no recommendation; and most logs need not be read.
    if (task.value.status !== "completed") return ok({ task_id, items: [] });
    const texts = await recommended(parts, by, task.value);
    if (!texts.ok) return texts;
    const items = await Promise.all(
      texts.value.map(async (text, index) => {
        const id = await derivedId(`${by.tenant}/${task_id}/${index}`);
        return { index, text, draft: draftOf(task.value, index, text, id) };
      }),
    );
    return ok({ task_id, items });
  };
  return {
    nextSteps,
    async approve(by, { task_id, index }, { overrides }, arrival) {
      const steps = await nextSteps(by, task_id);
      if (!steps.ok) return steps;
      const step = steps.value.items[index];
      if (step === undefined) {
        const { length } = steps.value.items;
        const detail = `must be below ${length}: the result of ${task_id} recommends ${length} steps`;
        const errors = [{ pointer: "/path/index", code: "too_big", detail }];
        return refuse({ code: "validation_failed", detail: "There is no such step.", errors });
      }
      const task = patched(step.draft, task_id, overrides);
      if (!task.ok) return task;
      const request = { ...arrival, body: task.value, idempotencyKey: null };
      return parts.submit(by, task.value, request);
    },
  };
}
