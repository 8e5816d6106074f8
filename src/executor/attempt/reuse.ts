import { instant } from "../../lib/ports.ts";
import type { Result } from "../../lib/result.ts";
import { notificationSchema } from "../../protocol/notification.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { CachedResult } from "../memory/memory-port.ts";
import type { JsonObject } from "../skills/skill.ts";
import type { Attempt } from "./attempt.ts";
import type { Completion } from "./say/tell.ts";

const dataOfCompleted = notificationSchema.options[2].shape.data;

/**
 * Whether a task may be given a stored result, or store its own: it has to ask for that, and what it asks for must not
 * be an act, a look at the world as it is now, or at what an address serves now.
 */
function isReusable({ task }: Attempt): boolean {
  const isAtAddress = task.parameters?.input_data?.["url"] !== undefined;
  if (task.execution_options.reuse_result !== true || isAtAddress) return false;
  switch (task.task_type) {
    case "deployment":
    case "monitoring":
    case "testing":
      return false;
    case "code_generation":
    case "code_debugging":
    case "configuration":
    case "data_analysis":
    case "documentation":
    case "research":
    case "general":
      return true;
  }
}

/** The stored result of an equal question, where the task allows that; null when there is none that can be used. */
export async function storedResult(attempt: Attempt): Promise<CachedResult | null> {
  const { tenant, ports, question } = attempt;
  if (!isReusable(attempt)) return null;
  const stored = await ports.memory.cached(tenant, question);
  return stored !== null && dataOfCompleted.safeParse(stored.completed).success ? stored : null;
}

/**
 * Completes the task with a stored result. Null when the task's own gates refuse it: then the work is done after all.
 * Refused when the lease is gone.
 */
export async function completeFrom(
  { session }: Attempt,
  { task_id: cached_from, completed }: CachedResult,
): Promise<Result<unknown, Refusal> | null> {
  const { quality_assessment, next_steps = [], ...rest } = dataOfCompleted.parse(completed);
  const { facts } = session;
  session.facts = { execution_mode: "cached", cached_from };
  const told = await session.notify("task_completed", {
    ...rest,
    quality_assessment,
    next_steps,
    metrics: {
      execution_time: session.elapsedSeconds,
      tokens_used: 0,
      cost: 0,
      quality_score: quality_assessment.overall_score,
    },
  });
  if (!told.ok) {
    session.facts = facts;
    return told.refusal.code === "result_rejected" ? null : told;
  }
  return session.end({
    reason: "success",
    quality_assessment,
    next_actions: { cleanup_required: false, follow_up_tasks: next_steps },
  });
}

/**
 * Stores what the task has accepted for questions that are equal, where the task allows that. One of which nothing is to
 * be kept may be given a stored result, and leaves none.
 */
export async function storeResult(
  attempt: Attempt,
  completed: NonNullable<Completion["completed"]>,
): Promise<void> {
  const { task, tenant, ports, question } = attempt;
  if (!isReusable(attempt) || task.execution_options.keep_memory === "never") return;
  const kept: JsonObject = { ...completed, metrics: { ...completed.metrics } };
  await ports.memory.cache(tenant, question, {
    task_id: task.task_id ?? "",
    completed: kept,
    at: instant(ports.now()),
  });
}
