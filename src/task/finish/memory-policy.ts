import type { EndReason, TaskType } from "../../protocol/enums.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";

type KeepMemory = TaskExecution["execution_options"]["keep_memory"];

/** What becomes of a task's short-term memory when it ends. */
export interface MemoryPolicy {
  notes: "drop" | "keep";
  /** What the last heartbeats handed over for the next attempt. */
  checkpoint: "drop" | "keep";
  partial_results: "keep";
  /** Notifications that were held for their turn, and whatever else only a running task needs. */
  scratch: "drop";
}

/** Whether a reason leaves something to find out: what was wanted, or given up, does not. */
function isFailure(reason: EndReason): boolean {
  switch (reason) {
    case "success":
    case "cancelled":
      return false;
    case "failure":
    case "timeout":
    case "escalated":
    case "resource_exhausted":
      return true;
  }
}

/**
 * Whether the notes of a type are worth reading after a failure. Whoever deploys or configures notes hosts, paths and
 * what opens them, which must not outlive the work; what monitoring notes is out of date with its next look.
 */
function isWorthKeeping(task_type: TaskType): boolean {
  switch (task_type) {
    case "deployment":
    case "configuration":
    case "monitoring":
      return false;
    case "code_generation":
    case "code_debugging":
    case "data_analysis":
    case "documentation":
    case "testing":
    case "research":
    case "general":
      return true;
  }
}

function isKept(task_type: TaskType, reason: EndReason, keep_memory: KeepMemory): boolean {
  switch (keep_memory) {
    case "never":
      return false;
    case "always":
      return true;
    case "on_failure":
      return isFailure(reason);
    case undefined:
      return isFailure(reason) && isWorthKeeping(task_type);
  }
}

/**
 * What of a task's memory outlives its end, until its object is emptied.
 *
 * - Notes and checkpoint have one fate: both are what an executor knew on its way. `keep_memory` of the task wins,
 *   because whoever submits it knows what is in them. Otherwise they go with a success, whose result says what they
 *   led to, and with a cancellation, after which nobody goes on; they stay for the post-mortem of everything else,
 *   except for types that note access data or what goes stale at once.
 * - Partial results stay: they are part of the outcome, and completion_status is derived from them.
 * - Scratch goes: a notification held for its turn has none any more.
 *
 * @param keep_memory execution_options.keep_memory of the task
 */
export function memoryPolicy(
  task_type: TaskType,
  reason: EndReason,
  keep_memory?: KeepMemory,
): MemoryPolicy {
  const memory = isKept(task_type, reason, keep_memory) ? "keep" : "drop";
  return { notes: memory, checkpoint: memory, partial_results: "keep", scratch: "drop" };
}
