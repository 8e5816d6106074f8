import { ok, refuse, type Result } from "../lib/result.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { TaskView } from "../protocol/task-view.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** A task whose object may be empty already: by what a repetition of its submission is known. */
export interface FormerTask {
  /** Null where nobody noted it. */
  body_hash: string | null;
}

/** What history knows of tasks that have ended. */
export interface PastTasks {
  former(tenant: string, task_id: string): Promise<FormerTask | null>;
  /** Refused with task_gone when it was removed. */
  view(tenant: string, task_id: string): Answer<TaskView | null>;
}

/** Why a task id or idempotency key cannot serve another request. */
export function takenRefusal(task_id: string, why: string): Refusal {
  const detail = `${why} Use another task id or idempotency key.`;
  return { code: "idempotency_conflict", detail, extra: { existing_task_id: task_id } };
}

/**
 * Answers the repetition of a submission whose task has left its object: with the view, as long as there is one.
 *
 * Refused with idempotency_conflict: another request, one that nobody can compare any more, or a task that was removed.
 */
export async function repeated(
  task_id: string,
  { former, body_hash }: { former: FormerTask; body_hash: string },
  pastView: () => Answer<TaskView | null>,
): Answer<{ view: TaskView; isNew: boolean }> {
  if (former.body_hash === null) {
    const why = "A task with this id has ended so long ago that nobody knows its request.";
    return refuse(takenRefusal(task_id, why));
  }
  if (former.body_hash !== body_hash) {
    const why = "A different request was submitted under this task id or idempotency key.";
    return refuse(takenRefusal(task_id, why));
  }
  const view = await pastView();
  if (view.ok && view.value !== null) return ok({ view: view.value, isNew: false });
  if (!view.ok && view.refusal.code !== "task_gone") return view;
  const why = view.ok ? "The task of this request is gone." : view.refusal.detail;
  return refuse(takenRefusal(task_id, why));
}
