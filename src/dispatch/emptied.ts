import { refuse, type Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { TaskView } from "../protocol/task-view.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What asks for something that only a task's own object could do or tell. */
type Call<Rest extends unknown[], Value> = (
  by: Principal,
  task_id: string,
  ...rest: Rest
) => Answer<Value>;

/** What is known of a task whose object is empty. */
export interface EmptiedParts {
  /** The view in history; null when it never heard of it. Refused with task_gone when it was removed by policy. */
  pastView: (tenant: string, task_id: string) => Answer<TaskView | null>;
  /** Whether a key may read a task, in its object or in history. */
  readable: (by: Principal, task_id: string) => Answer<unknown>;
}

/** Why an object that knows no task cannot do what is wanted: the task has ended, or there never was one. */
async function refusalOf(
  { pastView }: EmptiedParts,
  { tenant, task_id }: { tenant: string; task_id: string },
  { unknown, isRead }: { unknown: Refusal; isRead: boolean },
): Promise<Refusal> {
  const past = await pastView(tenant, task_id);
  if (!past.ok) return past.refusal;
  if (past.value?.ended_at == null) return unknown;
  const { ended_at } = past.value;
  const ended = `Task ${task_id} ended at ${ended_at}`;
  if (!isRead) return { code: "task_ended", detail: `${ended}.` };
  const detail = `${ended}; its own memory was emptied since. History has its view, its events and its report.`;
  return { code: "task_gone", detail, extra: { ended_at } };
}

/**
 * Calls of a task's object that say why when the object is empty: task_not_found becomes task_ended for what wants to
 * change something, and task_gone for what history cannot tell.
 */
export function createEmptied(parts: EmptiedParts) {
  const guarded =
    (isRead: boolean) =>
    <Rest extends unknown[], Value>(call: Call<Rest, Value>): Call<Rest, Value> =>
    async (by, task_id, ...rest) => {
      const done = await call(by, task_id, ...rest);
      if (done.ok || done.refusal.code !== "task_not_found") return done;
      // Nobody learns from a refusal that there is something that it may not see.
      const allowed = isRead ? await parts.readable(by, task_id) : done;
      if (isRead && !allowed.ok) return allowed;
      const { tenant } = by;
      return refuse(await refusalOf(parts, { tenant, task_id }, { unknown: done.refusal, isRead }));
    };
  return { orders: guarded(false), reads: guarded(true) };
}
