import type { AttemptOutcome } from "../protocol/attempt-outcome.ts";
import { stallTimeoutOf } from "./machine/plan.ts";
import type { Holder, TaskState, Verdict } from "./machine/state.ts";
import { addUse, leaseExpiresAt } from "./machine/state.ts";

type Kind = AttemptOutcome["kind"];

/**
 * How the attempt went whose slot a change of the task frees: what its executor's reputation is made of.
 * Null when nobody held the task.
 *
 * @param before the task before the change; null when its end phases free the slot
 */
export function outcomeOf(before: TaskState | null, after: TaskState): AttemptOutcome | null {
  if (after.verdict !== null) return ofVerdict(after, after.verdict);
  return before === null || before.holder === null ? null : ofAttempt(before, before.holder, after);
}

/** The attempt is over and the task is not: its lease was lost, it failed, or somebody is asked. */
function ofAttempt(before: TaskState, holder: Holder, after: TaskState): AttemptOutcome {
  const { started_at, progressed_at, assigned_at } = holder;
  const { heartbeat_timeout } = before.task;
  const window_s = holder.plan?.stall_window_s ?? stallTimeoutOf(before);
  const at = after.updated_at;
  const isSilent =
    at >= leaseExpiresAt(before, holder) ||
    (started_at === null && at >= assigned_at + heartbeat_timeout * 1_000);
  const isStalled = started_at !== null && at >= progressed_at + window_s * 1_000;
  const kind = isStalled
    ? "stalled"
    : isSilent
      ? "lost"
      : after.phase === "retry_wait"
        ? "failure"
        : "other";
  return { ...figuresOf(before, started_at, at), kind, has_started: started_at !== null };
}

function ofVerdict(state: TaskState, verdict: Verdict): AttemptOutcome {
  const { holder } = state;
  const kind = kindOf(state, verdict);
  const figures = figuresOf(state, holder?.started_at ?? null, verdict.at);
  const isLate = verdict.error?.type === "attempt_timeout";
  return {
    ...figures,
    kind,
    has_started: holder === null ? null : holder.started_at !== null,
    quality: verdict.quality?.overall_score ?? null,
    is_on_time: isLate ? false : figures.is_on_time,
  };
}

function kindOf(state: TaskState, { reason, error, at }: Verdict): Kind {
  switch (reason) {
    case "success":
    case "failure":
    case "cancelled":
      return reason;
    case "timeout": {
      if (error?.type === "attempt_timeout") return "failure";
      if (error?.type !== "lease_lost") return "other";
      const last = state.mishaps.at(-1);
      return last?.at === at && last.class === "stall" ? "stalled" : "lost";
    }
    case "escalated":
    case "resource_exhausted":
      return "other";
  }
}

/** What the attempt took. It is on time within its estimate or, without one, within its limit. */
function figuresOf(state: TaskState, started_at: number | null, at: number) {
  const { task, memo, granted, attempt, reported } = state;
  const duration_s = started_at === null ? null : Math.max(0, at - started_at) / 1_000;
  const limit_s = task.estimated_duration ?? task.timeout + granted.duration_s;
  const said = memo?.attempt === attempt ? memo.cost_usd : 0;
  const cost_usd = addUse(0, Math.max(said, reported.cost_usd));
  return {
    task_type: task.task_type,
    duration_s,
    quality: null,
    cost_usd: cost_usd === 0 ? null : cost_usd,
    is_on_time: duration_s === null ? null : duration_s <= limit_s,
  };
}
