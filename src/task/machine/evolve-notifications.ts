import * as z from "zod";

import { complexitySchema } from "../../protocol/enums.ts";
import { jsonObjectSchema } from "../../protocol/primitives.ts";
import { planOf, repeatsProgress, replanned } from "./plan.ts";
import type { Holder, LoggedEvent, TaskState } from "./state.ts";

/** How many notifications are remembered for recognising repetitions. */
const RECENT_NOTIFICATIONS = 1_000;

const notificationSchema = z.object({
  notification_id: z.string(),
  sequence: z.int().optional(),
  data: jsonObjectSchema,
});
const startedSchema = z.object({ complexity: complexitySchema, estimated_duration: z.number() });
const progressSchema = z.object({
  progress_percentage: z.number(),
  current_step: z.string(),
  steps_completed: z.int().optional(),
  intermediate_results: z.unknown().optional(),
  estimated_remaining: z.number().optional(),
});
const completedSchema = z.object({
  metrics: z.object({ cost: z.number(), tokens_used: z.int() }),
});
const failedSchema = z.object({
  error_type: z.string(),
  error_message: z.string(),
  root_cause: z.object({ class: z.string() }),
  partial_results: z.unknown().optional(),
});

/** What every notification does: it is remembered, and it renews the lease. */
function heard(state: TaskState, event: LoggedEvent): TaskState {
  const { notification_id, sequence } = notificationSchema.parse(event.data);
  const entry = {
    id: notification_id,
    sequence: sequence ?? null,
    attempt: state.attempt,
    seq: event.seq,
  };
  const holder =
    state.holder === null
      ? null
      : {
          ...state.holder,
          heard_at: event.at,
          next_sequence:
            sequence === undefined
              ? state.holder.next_sequence
              : Math.max(state.holder.next_sequence, sequence + 1),
        };
  return { ...state, holder, recent: [...state.recent, entry].slice(-RECENT_NOTIFICATIONS) };
}

/** The attempt has begun. */
export function started(state: TaskState, event: LoggedEvent): TaskState {
  const { complexity, estimated_duration } = startedSchema.parse(
    notificationSchema.parse(event.data).data,
  );
  const plan = planOf(state, estimated_duration, event.at);
  return {
    ...withHolder(heard(state, event), { started_at: event.at, progressed_at: event.at, plan }),
    phase: "executing",
    status: "running",
    started_at: state.started_at ?? event.at,
    waiting_since: null,
    complexity,
    progress: { percentage: 0, step: "started", intermediate: null },
  };
}

/** The attempt has come further, or says once more how far it is: then the wait for progress goes on. */
export function progressed(state: TaskState, event: LoggedEvent): TaskState {
  const progress = progressSchema.parse(notificationSchema.parse(event.data).data);
  const plan = replanned(state.holder?.plan ?? null, progress.estimated_remaining, event.at);
  const isNews = !repeatsProgress(state, progress);
  return {
    // Whoever gets on is not resting.
    ...withHolder(heard(state, event), {
      plan,
      ...(isNews && { progressed_at: event.at, paused_at: null }),
    }),
    progress: {
      percentage: progress.progress_percentage,
      step: progress.current_step,
      ...(progress.steps_completed !== undefined && { steps_completed: progress.steps_completed }),
      intermediate: progress.intermediate_results ?? state.progress?.intermediate ?? null,
    },
  };
}

/** The work is done; the verdict follows as an event of its own. */
export function completed(state: TaskState, event: LoggedEvent): TaskState {
  const { metrics } = completedSchema.parse(notificationSchema.parse(event.data).data);
  const progress = state.progress ?? { percentage: 100, step: "completed", intermediate: null };
  return {
    ...heard(state, event),
    progress: { ...progress, percentage: 100 },
    reported: { cost_usd: metrics.cost, tokens: metrics.tokens_used },
  };
}

/** The attempt has failed; what follows from it is an event of its own. */
export function failed(state: TaskState, event: LoggedEvent): TaskState {
  const failure = failedSchema.parse(notificationSchema.parse(event.data).data);
  const next = heard(state, event);
  return {
    ...next,
    progress:
      failure.partial_results === undefined || state.progress === null
        ? next.progress
        : { ...state.progress, intermediate: failure.partial_results },
    mishaps: [
      ...state.mishaps,
      {
        what: `Attempt ${state.attempt} failed: ${failure.error_message}`,
        at: event.at,
        class: failure.root_cause.class,
        effect: `The attempt ended with ${failure.error_type}`,
        action: "Retried or failed by the task's retry policy",
      },
    ],
  };
}

function withHolder(state: TaskState, change: Partial<Holder>): TaskState {
  return state.holder === null ? state : { ...state, holder: { ...state.holder, ...change } };
}

/** An escalation may come from the executor, with a notification id, or from the system itself. */
export function heardIfSent(state: TaskState, event: LoggedEvent): TaskState {
  return event.actor.kind === "executor" ? heard(state, event) : state;
}
