import * as z from "zod";

import { instant } from "../../lib/ports.ts";
import { ok } from "../../lib/result.ts";
import {
  endReasonSchema,
  completionStatusSchema,
  taskStatusSchema,
  taskTypeSchema,
} from "../../protocol/enums.ts";
import type { EndReason, TaskPhase, TaskStatus } from "../../protocol/enums.ts";
import type { Outcome } from "../../protocol/kin.ts";
import type { Actor } from "../../protocol/task-view.ts";
import type { Decision } from "../machine/commands.ts";
import type { DraftEvent, Gate, LoggedEvent, TaskState } from "../machine/state.ts";
import { SYSTEM, hasVerdict } from "../machine/state.ts";
import { closedCancels, openCancels, readyEvent, verdictEvent } from "../machine/verdict.ts";
import { prerequisitesOf } from "./carry.ts";
import { isComposite } from "./family.ts";
import type { Prerequisite } from "./family.ts";

/** What a task is told whose prerequisite did not succeed. */
const DEPENDENCY_FAILED = "dependency_failed";

/** How much of what has failed a question names. Characters. */
const LONGEST_NAMED = 2_000;

/** What asking the gates of a task has brought. */
export type GateNews =
  | { kind: "open"; prerequisites: Prerequisite[] }
  | { kind: "failed"; message: string }
  | { kind: "stopped"; reason: EndReason; message: string };

/** What a gate said when it was asked; null when nobody knows the task behind it any more. */
type GateAnswer =
  | { kind: "task"; outcome: Outcome | null }
  | { kind: "batch"; is_open: boolean; stop?: { reason: EndReason; message: string } | undefined };

/** A gate that has been asked. */
export interface AskedGate {
  gate: Gate;
  answer: GateAnswer;
}

/** Whether something must still be so before the task may start. */
export function isHeldBack(state: Pick<TaskState, "origin" | "prerequisites">): boolean {
  return (state.origin.gates ?? []).length > 0 && state.prerequisites === null;
}

/** The tasks that stand behind gates, those behind a parent's included. */
export function prerequisitesIn(gates: readonly Gate[]): string[] {
  const named = gates.flatMap((gate) => {
    if (gate.kind === "batch") return [];
    return gate.kind === "parent" ? gate.behind : [gate.task_id];
  });
  return [...new Set(named)];
}

/** Whether the task is not to be queued now: it waits for prerequisites, or its children do its work. */
function waits(state: Pick<TaskState, "origin" | "prerequisites" | "task">): boolean {
  return isComposite(state.task) || isHeldBack(state);
}

/** What follows when nothing else is in the way: the task is ready, or goes on waiting for its kin. */
export function onward(
  state: Pick<TaskState, "origin" | "prerequisites" | "task">,
  reason: string,
  actor: Actor = SYSTEM,
): DraftEvent[] {
  return waits(state) ? [] : [readyEvent(reason, actor)];
}

/** Where a task is that waits for its kin, or null when it does not. */
export function waitingPlace(state: TaskState): { phase: TaskPhase; status: TaskStatus } | null {
  if (!waits(state)) return null;
  return isComposite(state.task) && state.started_at !== null
    ? { phase: "executing", status: "running" }
    : { phase: "waiting_dependencies", status: "pending" };
}

function releasedEvent(reason: string, prerequisites: readonly Prerequisite[]): DraftEvent {
  return { type: "task_ready", actor: SYSTEM, data: { reason, prerequisites: [...prerequisites] } };
}

const prerequisitesSchema = z.array(
  z.object({
    task_id: z.string(),
    task_type: taskTypeSchema,
    status: taskStatusSchema,
    completion_status: completionStatusSchema.nullable(),
    end_reason: endReasonSchema.nullable(),
    result: z.unknown(),
    partial_results: z.unknown().optional(),
    note: z.string().optional(),
  }),
) satisfies z.ZodType<Prerequisite[]>;

const readySchema = z.object({ prerequisites: prerequisitesSchema.optional() });
const askedSchema = z.object({ metadata: z.object({ cause: z.literal(DEPENDENCY_FAILED) }) });

/** The task was let go: with what its prerequisites gave it, where there are some. */
export function released(state: TaskState, event: LoggedEvent): Partial<TaskState> {
  const { prerequisites } = readySchema.parse(event.data);
  return { prerequisites: prerequisites ?? state.prerequisites };
}

/** Whether an escalation asks if the task may start although a prerequisite has failed. */
export function asksForExcuse(event: LoggedEvent): boolean {
  return event.actor.kind === "system" && askedSchema.safeParse(event.data).success;
}

function isOpen({ gate, answer }: AskedGate): boolean {
  if (answer.kind === "batch") return answer.is_open;
  if (gate.kind === "batch" || answer.outcome === null) return false;
  // Of a parent that is over the child hears by being stopped.
  if (gate.kind === "parent") return !answer.outcome.is_ended && !answer.outcome.is_held_back;
  return (
    answer.outcome.is_ended && (gate.needs === "end" || answer.outcome.end_reason === "success")
  );
}

/** Why a gate can never open, in words; null while it may. */
function failureOf({ gate, answer }: AskedGate, mayStillCome: boolean): string | null {
  if (gate.kind !== "task" || answer.kind !== "task") return null;
  const { outcome } = answer;
  if (outcome === null) return mayStillCome ? null : `there is no prerequisite ${gate.task_id}`;
  return outcome.is_ended && gate.needs === "success" && outcome.end_reason !== "success"
    ? `prerequisite ${gate.task_id} ended with reason ${outcome.end_reason ?? "unknown"}`
    : null;
}

/**
 * What the answers of the gates mean: all open, one that never will, or null while it has to wait.
 *
 * @param on.isExcused whether a failure is no obstacle any more
 * @param on.mayStillCome whether a prerequisite that does not exist may still be submitted
 */
export function gateNews(
  asked: readonly AskedGate[],
  on: { isExcused: boolean; mayStillCome: boolean },
): GateNews | null {
  for (const { answer } of asked) {
    if (answer.kind === "batch" && answer.stop !== undefined) {
      return { kind: "stopped", ...answer.stop };
    }
  }
  const failures = asked.map((gate) => failureOf(gate, on.mayStillCome));
  const failed = failures.filter((failure) => failure !== null);
  if (failed.length > 0 && !on.isExcused) return { kind: "failed", message: failed.join("; ") };
  const isLetGo = asked.every((gate, index) => isOpen(gate) || failures[index] !== null);
  if (!isLetGo) return null;
  const outcomes = asked.flatMap(({ gate, answer }) =>
    gate.kind === "task" && answer.kind === "task" && answer.outcome !== null
      ? [answer.outcome]
      : [],
  );
  return { kind: "open", prerequisites: prerequisitesOf(outcomes) };
}

function askWhetherToStart(
  state: TaskState,
  news: Extract<GateNews, { kind: "failed" }>,
  now: number,
): DraftEvent {
  return {
    type: "task_escalated",
    actor: SYSTEM,
    data: {
      notification_id: `blocked-${state.origin.uid}-${state.seq}`,
      notification_type: "task_escalated",
      task_id: state.origin.task_id,
      agent_id: SYSTEM.id,
      timestamp: instant(now),
      status: "escalated",
      data: {
        escalation_reason: news.message,
        escalation_level: "orchestrator",
        question: `May the task start although ${news.message.slice(0, LONGEST_NAMED)}?`,
        urgency: state.priority === "critical" ? "critical" : "medium",
        options: ["resume", "change", "cancel"],
      },
      metadata: { escalation_kind: "handover", cause: DEPENDENCY_FAILED },
    },
  };
}

/**
 * The gates were asked. Nothing of their state is logged until all of them are open, or one never will.
 *
 * Without effect on a task that does not wait for them.
 */
export function decideGates(state: TaskState, { news }: { news: GateNews }, now: number): Decision {
  const isWaiting = state.phase === "waiting_dependencies" && openCancels(state).length === 0;
  if (hasVerdict(state) || !isWaiting || !isHeldBack(state)) {
    return ok({ events: [] });
  }
  switch (news.kind) {
    case "open":
      return ok({ events: [releasedEvent("dependencies", news.prerequisites)] });
    case "stopped":
      return ok({
        events: ended(state, news.reason, { type: "batch_stopped", message: news.message }),
      });
    case "failed":
      return ok({
        events:
          state.task.parameters?.on_failed_dependency === "block"
            ? [askWhetherToStart(state, news, now)]
            : ended(state, "failure", { type: DEPENDENCY_FAILED, message: news.message }),
      });
  }
}

function ended(
  state: TaskState,
  reason: EndReason,
  error: { type: string; message: string },
): DraftEvent[] {
  return [
    ...closedCancels(state, "confirmed"),
    verdictEvent(state, { reason, error: { ...error, root_cause: null } }),
  ];
}
