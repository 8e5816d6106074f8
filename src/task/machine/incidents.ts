import * as z from "zod";

import type { EventType } from "../../protocol/enums.ts";
import { actionOf } from "../../protocol/post-mortem.ts";
import {
  declined,
  escalated,
  expired,
  failed,
  interfered,
  leaseLost,
  letGo,
  unanswered,
  warned,
} from "./incident-kinds.ts";
import type { Incident } from "./incident-kinds.ts";
import type { LoggedEvent, TaskState } from "./state.ts";

/** How many are remembered: a task that has more tells of the latest. */
const MOST_INCIDENTS = 1_000;

const retrySchema = z.object({
  attempt: z.int(),
  delay_s: z.number(),
  patch: z.unknown().optional(),
});
const verdictSchema = z.object({
  reason: z.string(),
  partial: z.boolean(),
  error: z
    .object({
      type: z.string(),
      message: z.string(),
      root_cause: z.object({ class: z.string() }).nullable().catch(null),
    })
    .nullable(),
});
type Frozen = z.infer<typeof verdictSchema>;

/** Those that wait for what follows from them are told it. */
function settled(incidents: readonly Incident[], action: string): Incident[] {
  return incidents.map((incident) =>
    incident.awaits === "consequence" ? { ...incident, awaits: null, action } : incident,
  );
}

function retried(incidents: readonly Incident[], event: LoggedEvent): Incident[] {
  const { data } = retrySchema.safeParse(event.data);
  const changed = data?.patch === undefined ? "" : ", with the changes that were suggested";
  const next =
    data === undefined
      ? "another attempt was planned"
      : `attempt ${data.attempt} was planned after ${data.delay_s} s${changed}`;
  return settled(incidents, actionOf("Retried", next));
}

function isNamed({ names }: Incident, { type, message }: NonNullable<Frozen["error"]>): boolean {
  return names.includes(type) || names.includes(`${type}: ${message}`);
}

/** The incident that the verdict itself tells of, so that it is not told twice; -1 when there is none. */
function ofVerdict(incidents: readonly Incident[], { error }: Frozen): number {
  // Silence after a question leads to what had led to the question.
  const isOfQuestion = incidents.at(-1)?.class === "escalation_expired";
  return incidents.findLastIndex((incident) => {
    const isOpen = incident.awaits === "consequence";
    if (error === null) return isOpen;
    return (isOpen || isOfQuestion) && isNamed(incident, error);
  });
}

const OFFERED = actionOf("Offered", "others could have had it, and nobody started it");

/** What the end did about what was open. */
function lastAction({ reason, partial }: Frozen): string {
  if (reason === "success") return actionOf("Noted", "the task succeeded nonetheless");
  const kept = partial ? ", partial results were kept" : "";
  return actionOf("Ended", `no attempt followed${kept}`);
}

/** That the task ended of an incident. */
function fatal(incident: Incident, { reason, error }: Frozen): Incident {
  const { what, isVague } = incident;
  const isTelling = isVague === true && error !== null;
  return {
    ...incident,
    ...(isTelling && { what: `${what}: ${error.message}` }),
    effect: `The task ended with reason ${reason}`,
    isFatal: true,
  };
}

/** The end as an incident of its own, where none before it tells of the same. */
function ending({ reason, error }: Frozen, { at, actor }: LoggedEvent, action: string): Incident {
  return {
    what: error?.message ?? `The executor ended the task with reason ${reason}`,
    at,
    class: error?.root_cause?.class ?? error?.type ?? reason,
    effect: `The task ended with reason ${reason}`,
    action,
    awaits: null,
    isFatal: true,
    names: [],
    // In its own words, which need not mean what the machine means by them.
    ...(actor.kind === "executor" && error !== null && { suggestions: [] }),
  };
}

function closed(incidents: readonly Incident[], event: LoggedEvent): readonly Incident[] {
  const frozen = verdictSchema.safeParse(event.data).data;
  if (frozen === undefined) return incidents;
  const isSuccess = frozen.reason === "success";
  const action = lastAction(frozen);
  const index = isSuccess ? -1 : ofVerdict(incidents, frozen);
  const told = incidents.map((incident, place) => {
    const known = place === index ? fatal(incident, frozen) : incident;
    if (known.awaits === null) return known;
    return { ...known, awaits: null, action: known.awaits === "start" ? OFFERED : action };
  });
  const isClean = isSuccess || (frozen.error === null && frozen.reason === "cancelled");
  return index >= 0 || isClean ? told : [...told, ending(frozen, event, action)];
}

/** What an event means for the list; what is not here means nothing. */
const EFFECTS: Readonly<
  Partial<Record<EventType, (state: TaskState, event: LoggedEvent) => readonly Incident[]>>
> = {
  task_failed: (state, event) => [...state.incidents, failed(state, event)],
  lease_expired: leaseLost,
  retry_scheduled: ({ incidents }, event) => retried(incidents, event),
  task_escalated: (state, event) => escalated(state, event, settled),
  escalation_resolved: (state, event) => [...state.incidents, ...expired(state, event)],
  task_declined: ({ incidents }, event) => [...incidents, declined(event)],
  // It found somebody after all.
  task_started: ({ incidents }) => incidents.filter(({ awaits }) => awaits !== "start"),
  task_ready: (state, event) => [...state.incidents, ...letGo(state, event)],
  command_issued: ({ incidents }, event) => [...incidents, ...interfered(event)],
  command_acknowledged: unanswered,
  budget_warning: ({ incidents }, event) => [...incidents, warned(event)],
  verdict: ({ incidents }, event) => closed(incidents, event),
};

/**
 * Everything that has gone wrong so far, after one event: what the post-mortem is made of.
 *
 * A fold of the log like all of the state. It never throws: an event that says less than it should makes an entry
 * that says less.
 */
export function incidentsAfter(state: TaskState, event: LoggedEvent): readonly Incident[] {
  const next = EFFECTS[event.type]?.(state, event) ?? state.incidents;
  return next.length > MOST_INCIDENTS ? next.slice(-MOST_INCIDENTS) : next;
}
