import * as z from "zod";

import { actionOf } from "../../protocol/post-mortem.ts";
import type { LoggedEvent, TaskState } from "./state.ts";

/** Something that went wrong on the way. `at` is epoch milliseconds. */
export interface Incident {
  what: string;
  at: number;
  /** A stable word: the executor's own for a failure, else one of those in this file or of a verdict's error. */
  class: string;
  effect: string;
  /** What was done about it; empty until that is known. */
  action: string;
  /** What tells what was done: the next decision of the machine, or that an attempt starts, which makes it nothing. */
  awaits: "consequence" | "start" | null;
  /** Whether the task ended of it. */
  isFatal: boolean;
  /** By what the error of a verdict tells of the same thing: its type, or `type: message`. */
  names: readonly string[];
  /** Whether it does not say enough by itself: the error of the verdict that follows does. */
  isVague?: true;
  /** What the executor advises, in its words. */
  suggestions?: readonly string[];
  /** How long the attempt had run, and how far it was. */
  run?: { seconds: number; percentage: number | null };
}

const text = z.string().catch("");
const texts = z.array(z.string()).catch([]);

const failedSchema = z.object({
  data: z.object({
    error_type: text,
    error_message: text,
    root_cause: z.object({ class: z.string().catch("unknown"), detail: text }),
    recovery_suggestions: texts,
  }),
});
const lostSchema = z.object({ cause: text, agent_id: text });
const escalatedSchema = z.object({
  data: z.object({ escalation_reason: text }),
  metadata: z.object({
    cause: z.string().optional().catch(undefined),
    on_silence: z.object({ error: z.object({ type: z.string(), message: z.string() }) }).optional(),
  }),
});
const resolvedSchema = z.object({ state: text, answer: z.string().nullable().catch(null) });
const declinedSchema = z.object({ agent_id: text, reason: text });
const readySchema = z.object({
  prerequisites: z
    .array(z.object({ task_id: z.string(), end_reason: z.string().nullable() }))
    .catch([]),
});
const ruledSchema = z.object({ rule: z.string(), command: z.string(), reason: text });
const warningSchema = z.object({
  resource: text,
  used: z.number(),
  limit: z.number(),
  projected: z.number().optional(),
});

const LOST_WORK = "The lease was voided; what was done since the last checkpoint is lost";

/** Something that is over as soon as it is noticed. */
const NOTICED = { awaits: null, isFatal: false, names: [] } as const;

/** How long the running attempt has run, and how far it is; nothing where none has started. */
function runOf({ holder, progress }: TaskState, at: number): Pick<Incident, "run"> {
  const started = holder?.started_at ?? null;
  if (started === null) return {};
  return { run: { seconds: (at - started) / 1_000, percentage: progress?.percentage ?? null } };
}

/** An attempt failed, in the words of its executor. */
export function failed(state: TaskState, event: LoggedEvent): Incident {
  const said = failedSchema.safeParse(event.data).data?.data;
  const { error_type = "unknown", error_message = "" } = said ?? {};
  const detail = said?.root_cause.detail ?? "";
  return {
    what: `Attempt ${state.attempt} failed: ${error_message}${detail === "" ? "" : ` (${detail})`}`,
    at: event.at,
    class: said?.root_cause.class ?? "unknown",
    effect: `The attempt ended with ${error_type}`,
    action: "",
    awaits: "consequence",
    isFatal: false,
    names: [`${error_type}: ${error_message}`],
    suggestions: said?.recovery_suggestions ?? [],
    ...runOf(state, event.at),
  };
}

/** The word and the words for each way to lose a lease; what is not here is a clock that ended the whole task. */
function lossOf(state: TaskState, cause: string): { class: string; how: string; isVague?: true } {
  const { task, holder } = state;
  switch (cause) {
    case "heartbeat":
      return { class: "lease_lost", how: `was not heard of for ${task.heartbeat_timeout} s` };
    case "not_started":
      return { class: cause, how: `did not start within ${task.heartbeat_timeout} s` };
    case "stall":
      return {
        class: cause,
        how: `made no progress for ${holder?.plan?.stall_window_s ?? task.stall_timeout ?? 0} s`,
      };
    case "attempt_timeout":
      return {
        class: cause,
        how: `ran longer than its ${task.timeout + state.granted.duration_s} s`,
      };
    default:
      return { class: cause, how: "was taken back", isVague: true };
  }
}

/** Whether it only tells that somebody had asked for news before the attempt was given up. */
function isPrelude(incident: Incident, { holder }: TaskState): boolean {
  return incident.class === "stall" && incident.at >= (holder?.assigned_at ?? Infinity);
}

/** An attempt lost its lease. Asking it for news before that is told together with it. */
export function leaseLost(state: TaskState, event: LoggedEvent): Incident[] {
  const { cause, agent_id } = lostSchema.catch({ cause: "", agent_id: "" }).parse(event.data);
  const { class: word, how, ...more } = lossOf(state, cause);
  const before =
    cause === "stall"
      ? state.incidents.filter((incident) => !isPrelude(incident, state))
      : state.incidents;
  return [
    ...before,
    {
      what: `Attempt ${state.attempt} of ${agent_id} ${how}`,
      at: event.at,
      class: word,
      effect: LOST_WORK,
      action: "",
      awaits: "consequence",
      isFatal: false,
      names: ["lease_lost", cause],
      ...more,
      ...runOf(state, event.at),
    },
  ];
}

/** A decision was asked for: about what has just gone wrong, or because nothing goes on without one. */
export function escalated(
  state: TaskState,
  event: LoggedEvent,
  settle: (incidents: readonly Incident[], action: string) => Incident[],
): Incident[] {
  const { data } = escalatedSchema.safeParse(event.data);
  const reason = data?.data.escalation_reason ?? "";
  const action = actionOf("Escalated", "a decision was asked for");
  const isTold = state.incidents.some(({ awaits }) => awaits === "consequence");
  const told = settle(state.incidents, action);
  const error =
    data?.metadata.cause === undefined
      ? data?.metadata.on_silence?.error
      : { type: data.metadata.cause, message: reason };
  if (isTold || error === undefined || event.actor.kind !== "system") return told;
  return [
    ...told,
    {
      ...NOTICED,
      what: error.message,
      at: event.at,
      class: error.type,
      effect: "The task waited for a decision",
      action,
      names: [`${error.type}: ${error.message}`],
    },
  ];
}

/** A question that nobody answered in time. */
export function expired({ escalation }: TaskState, event: LoggedEvent): Incident[] {
  const { state, answer } = resolvedSchema.catch({ state: "", answer: null }).parse(event.data);
  const isByDefault = state === "resolved" && event.actor.kind === "system";
  if (state !== "expired" && !isByDefault) return [];
  const asked = escalation === null ? "" : `: ${escalation.question}`;
  return [
    {
      ...NOTICED,
      what: `Nobody answered ${escalation?.escalation_id ?? "the escalation"} in time${asked}`,
      at: event.at,
      class: isByDefault ? "escalation_unanswered" : "escalation_expired",
      effect: isByDefault ? "It was decided without an answer" : "The task could not go on",
      action: isByDefault
        ? actionOf("Resumed", `the default option ${answer ?? ""} was taken`)
        : "",
      awaits: isByDefault ? null : "consequence",
    },
  ];
}

/** An executor did not want it. Nothing is wrong if another one does. */
export function declined(event: LoggedEvent): Incident {
  const { agent_id, reason } = declinedSchema.catch({ agent_id: "", reason: "" }).parse(event.data);
  return {
    ...NOTICED,
    what: `${agent_id} declined the task: ${reason}`,
    at: event.at,
    class: "declined",
    effect: "The task waited for another executor",
    action: "",
    awaits: "start",
  };
}

/** The task may start although prerequisites have failed. */
export function letGo(state: TaskState, event: LoggedEvent): Incident[] {
  const { prerequisites } = readySchema.catch({ prerequisites: [] }).parse(event.data);
  if (state.incidents.some((known) => known.class === "dependency_failed")) return [];
  return prerequisites
    .filter(({ end_reason }) => end_reason !== null && end_reason !== "success")
    .map(({ task_id, end_reason }) => ({
      ...NOTICED,
      what: `Prerequisite ${task_id} ended with reason ${end_reason}`,
      at: event.at,
      class: "dependency_failed",
      effect: "The task started without its result",
      action: actionOf("Noted", "the task does not need its success"),
    }));
}

/** What a rule of the machine saw, by its name: the word of the incident and what it means. */
const SEEN_BY_RULE: Readonly<Record<string, { class: string; effect: string }>> = {
  stalled: { class: "stall", effect: "The attempt did not get on" },
  overrun: { class: "overrun", effect: "The attempt took longer than it had estimated" },
  blocking_challenge: { class: "blocked", effect: "The executor could not go on by itself" },
};

/** The system stepped in by a rule of its own. What other rules see is told by the event that it follows. */
export function interfered(event: LoggedEvent): Incident[] {
  const { data } = ruledSchema.safeParse(event.data);
  const seen = data === undefined ? undefined : SEEN_BY_RULE[data.rule];
  if (data === undefined || seen === undefined) return [];
  const isAsking = data.command === "request_update";
  return [
    {
      ...NOTICED,
      what: data.reason.replace(`rule ${data.rule}: `, ""),
      at: event.at,
      ...seen,
      action: isAsking ? actionOf("Asked", "the executor was to say how it stands") : "",
      awaits: isAsking ? null : "consequence",
    },
  ];
}

/** Nobody confirmed a cancellation in time. The lease that was lost by it is the same thing. */
export function unanswered(state: TaskState, event: LoggedEvent): Incident[] {
  const { incidents, attempt } = state;
  if (event.data["state"] !== "unresponsive") return [...incidents];
  const loss = incidents.findLast(({ awaits }) => awaits === "consequence");
  const what =
    loss === undefined
      ? "The subtasks did not end within the grace of the cancellation"
      : `Attempt ${attempt} did not confirm the cancellation in time`;
  return [
    ...incidents.filter((incident) => incident !== loss),
    {
      ...NOTICED,
      what,
      at: event.at,
      class: "unresponsive",
      effect: "The task was cancelled without a last word",
      action: "",
      awaits: "consequence",
    },
  ];
}

/** A budget came near its limit, or will not do. */
export function warned(event: LoggedEvent): Incident {
  const { data } = warningSchema.safeParse(event.data);
  const { resource = "a resource", used = 0, limit = 0, projected } = data ?? {};
  return {
    ...NOTICED,
    what:
      projected === undefined
        ? `${used} of ${limit} ${resource} were used`
        : `${resource} was projected to ${Number(projected.toPrecision(4))} of ${limit}`,
    at: event.at,
    class: "budget_warning",
    effect: "The budget may not do",
    action: actionOf("Noted", "the work went on under a warning"),
  };
}
