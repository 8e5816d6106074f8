import type { CommandName } from "../../protocol/enums.ts";
import type { Notification } from "../../protocol/notification.ts";
import { limitsOf } from "../kin/tree-budget.ts";
import { askedBySystem } from "./handover.ts";
import { overrunAt } from "./plan.ts";
import type { CommandRecord } from "./records.ts";
import type { DraftEvent, TaskState } from "./state.ts";
import { SYSTEM, addUse, projectionOf, usageOf } from "./state.ts";
import { openCancels } from "./verdict.ts";

/** The rules by which the system steps in on its own. */
type Rule = "stalled" | "overrun" | "cost_overrun" | "blocking_challenge" | "repeated_failure";

type Progress = Extract<Notification, { notification_type: "task_progress" }>["data"];

/** From this percentage on, what was used so far says something of the whole. */
const TELLING_PERCENTAGE = 10;

/** A projection may exceed its budget by this factor before anybody is troubled. */
const PROJECTION_SLACK = 1.2;

/** A command that a rule gives, so that the log says who stepped in and why. */
export function ruled(
  state: TaskState,
  rule: Rule,
  {
    command,
    because,
  }: { command: Extract<CommandName, "request_update" | "escalate">; because: string },
): DraftEvent {
  return {
    type: "command_issued",
    actor: SYSTEM,
    data: {
      // Unique without chance: no two events of a task have the same seq, nor two tasks the same uid.
      command_id: `cmd_${rule}_${state.seq}_${state.origin.uid}`,
      command,
      reason: `rule ${rule}: ${because}`,
      state: command === "escalate" ? "confirmed" : "requested",
      rule,
    },
  };
}

/** Whether a command asks for news that have not come yet. */
export function isOpenRequest({ command, state }: CommandRecord): boolean {
  return command === "request_update" && (state === "requested" || state === "acknowledged");
}

const isAsked = (state: TaskState): boolean => state.commands.some(isOpenRequest);

/** Whether a rule has spoken in the running attempt. */
function hasSpoken(state: TaskState, rule: Rule): boolean {
  const since = state.holder?.assigned_at ?? 0;
  return state.commands.some((known) => known.rule === rule && known.requested_at >= since);
}

/** Whether an attempt that makes no progress may be asked for news: nobody waits for some already, nor for its end. */
export function mayAsk(state: TaskState): boolean {
  return !isAsked(state) && openCancels(state).length === 0;
}

/** The request that a silence leads to. */
export function askForNews(state: TaskState, now: number): DraftEvent[] {
  const seconds = Math.floor((now - (state.holder?.progressed_at ?? now)) / 1_000);
  const because = `no progress for ${seconds} s`;
  return [ruled(state, "stalled", { command: "request_update", because })];
}

/**
 * The request that an overrun leads to. A progress after the limit has been asked for, or has come by itself
 * while somebody was asking: either way once an attempt.
 */
function overrun(state: TaskState, now: number): DraftEvent | null {
  const { holder } = state;
  const due = holder === null ? null : overrunAt(holder);
  if (holder === null || due === null || now < due || holder.progressed_at >= due) return null;
  const because = `it takes ${Math.floor((now - (holder.started_at ?? now)) / 1_000)} s, the estimate was ${holder.plan?.estimate_s ?? 0} s`;
  return ruled(state, "overrun", { command: "request_update", because });
}

/** A budget that will not do, if the rest of the work uses as much as what is done. */
interface Projection {
  resource: "cost_usd" | "tokens";
  used: number;
  limit: number;
  projected: number;
}

function projections(state: TaskState, percentage: number): Projection[] {
  if (percentage < TELLING_PERCENTAGE || state.memo?.attempt !== state.attempt) return [];
  const limits = limitsOf(state);
  const total = usageOf(state);
  const { earlier } = state.memo;
  return (["cost_usd", "tokens"] as const).flatMap((resource): Projection[] => {
    const limit = limits[resource];
    const own = total[resource] - earlier[resource];
    const projected = addUse(earlier[resource], own / (percentage / 100));
    return limit !== null && projected > limit * PROJECTION_SLACK
      ? [{ resource, used: total[resource], limit, projected }]
      : [];
  });
}

/**
 * Warnings and a request where the budget will not do. Judged at progress alone: at a heartbeat the use is newer
 * than the percentage, and would look too high.
 */
function costOverrun(state: TaskState, percentage: number): DraftEvent[] {
  const found = projections(state, percentage);
  const [worst] = found;
  if (worst === undefined) return [];
  const warnings = found
    .filter(({ resource }) =>
      [resource, projectionOf(resource)].every((known) => !state.warned_of.includes(known)),
    )
    .map((projection): DraftEvent => ({
      type: "budget_warning",
      actor: SYSTEM,
      data: { ...projection },
    }));
  if (hasSpoken(state, "cost_overrun")) return warnings;
  const because = `at ${percentage} % ${worst.resource} is projected to ${Number(worst.projected.toPrecision(4))}, the budget is ${worst.limit}`;
  return [...warnings, ruled(state, "cost_overrun", { command: "request_update", because })];
}

/** What an executor's heartbeat leads to. Nothing when all is well. */
export function afterBeat(state: TaskState, now: number): DraftEvent[] {
  const late = mayAsk(state) ? overrun(state, now) : null;
  return late === null ? [] : [late];
}

/** The first challenge that keeps the executor from going on, in its own words; null when none does. */
function blockingChallenge(progress: Progress): string | null {
  const found = (progress.challenges ?? []).find(
    (challenge) => typeof challenge !== "string" && challenge.blocking === true,
  );
  return found === undefined || typeof found === "string" ? null : found.description;
}

function blocked(
  state: TaskState,
  progress: Progress,
  challenge: string,
  now: number,
): DraftEvent[] {
  const because = challenge.slice(0, 1_000);
  if (state.task.execution_options.autonomy_level === "autonomous") {
    return hasSpoken(state, "blocking_challenge")
      ? []
      : [ruled(state, "blocking_challenge", { command: "request_update", because })];
  }
  return [
    ruled(state, "blocking_challenge", { command: "escalate", because }),
    askedBySystem(
      state,
      {
        cause: "blocking_challenge",
        kind: "question",
        reason: "The executor met a challenge that blocks it",
        question: challenge,
        level: "orchestrator",
        urgency: "high",
        context: {
          agent_id: state.holder?.agent_id ?? null,
          progress_percentage: progress.progress_percentage,
          current_step: progress.current_step,
          challenges: progress.challenges ?? [],
        },
      },
      now,
    ),
  ];
}

/**
 * What a progress leads to beside being recorded; `state` is the task before it. Nothing when all is well.
 *
 * A request that was open is answered by this very progress: only a rule that it says nothing about asks again.
 */
export function afterProgress(state: TaskState, progress: Progress, now: number): DraftEvent[] {
  if (openCancels(state).length > 0) return [];
  const challenge = blockingChallenge(progress);
  if (challenge !== null) {
    const consequences = blocked(state, progress, challenge, now);
    if (consequences.length > 0) return consequences;
  }
  const cost = costOverrun(state, progress.progress_percentage);
  const isAsking = cost.some(({ type }) => type === "command_issued");
  const late = isAsking || isAsked(state) ? null : overrun(state, now);
  return late === null ? cost : [...cost, late];
}
