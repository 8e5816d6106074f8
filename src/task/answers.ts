import { instant } from "../lib/ports.ts";
import { ok, refuse } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { CommandEntry, CommandView, OpenCommand } from "../protocol/agent.ts";
import { MOST } from "../protocol/primitives.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { MOST_PREVIOUS } from "../protocol/task-execution.ts";
import type { EndReceipt, NotificationReceipt, Report } from "../protocol/task-view.ts";
import { timelineOf } from "../protocol/timeline.ts";
import type { Prerequisite } from "./kin/family.ts";
import type { Change } from "./machine/commands.ts";
import { durationDeadline, totalDeadline } from "./machine/limits.ts";
import { stallTimeoutOf } from "./machine/plan.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { completionStatusOf } from "./machine/verdict.ts";
import { leaseOf } from "./outbox.ts";
import { escalationOf, eventIdOf, eventOf } from "./view.ts";

/** The longest attempt and the longest life that the contract knows; grants may add up to more. Seconds. */
const LONGEST_ATTEMPT_S = 86_400;
const LONGEST_LIFE_S = 604_800;

/** A limit with what was granted on top of it, within what the contract can say; absent where there is none. */
function raised<Name extends string>(
  name: Name,
  limit: number | undefined,
  { granted, most }: { granted: number; most: number },
): { [Key in Name]?: number } {
  if (limit === undefined) return {};
  const raisedTo: { [Key in Name]?: number } = {};
  raisedTo[name] = Math.min(limit + granted, most);
  return raisedTo;
}

/** The limits of a task as they hold at present: those of its request with what was granted since. */
function presentLimits({ task, granted }: TaskState): Partial<TaskState["task"]> {
  const { timeout, total_timeout, contract } = task;
  const budget = contract?.budget;
  const life = { granted: granted.duration_s, most: LONGEST_LIFE_S };
  return {
    timeout: Math.min(timeout + granted.duration_s, LONGEST_ATTEMPT_S),
    ...raised("total_timeout", total_timeout, life),
    ...(budget !== undefined && {
      contract: {
        ...contract,
        budget: {
          ...budget,
          ...raised("max_cost_usd", budget.max_cost_usd, {
            granted: granted.cost_usd,
            most: MOST.cost_usd,
          }),
          ...raised("max_tokens", budget.max_tokens, {
            granted: granted.tokens,
            most: MOST.tokens,
          }),
          ...raised("max_duration_s", budget.max_duration_s, life),
        },
      },
    }),
  };
}

/** A grant within what the contract can say: a log may have one from before it had bounds. */
function sayable(grant: NonNullable<OpenCommand["grant"]>): OpenCommand["grant"] {
  const { cost_usd, tokens } = grant;
  return {
    ...grant,
    ...raised("cost_usd", cost_usd, { granted: 0, most: MOST.cost_usd }),
    ...raised("tokens", tokens, { granted: 0, most: MOST.tokens }),
  };
}

/**
 * What the request names as what went before, then what the task waited for, within the bound of the contract.
 *
 * Where that is too much, a bare id goes for the prerequisite that tells of the same task, so all that was named fits; of
 * other prerequisites the last are left out then: `dependencies` has their ids.
 */
function previousTasks(task: TaskState["task"], prerequisites: readonly Prerequisite[]) {
  const all = task.context?.previous_tasks ?? [];
  if (all.length + prerequisites.length <= MOST_PREVIOUS) return [...all, ...prerequisites];
  const isNamed = ({ task_id }: Prerequisite): boolean => all.includes(task_id);
  const told = new Set<unknown>(prerequisites.map(({ task_id }) => task_id));
  const named = all.filter((previous) => !told.has(previous));
  const room = MOST_PREVIOUS - named.length - prerequisites.filter(isNamed).length;
  const leftOut = prerequisites.filter((one) => !isNamed(one)).slice(room);
  return [...named, ...prerequisites.filter((one) => !leftOut.includes(one))];
}

/**
 * What the executor gets: the request with all defaults, the priority and the limits that hold at present, its
 * checkpoint, and what was answered on the way.
 */
export function assignmentOf(state: TaskState): JsonObject {
  const { task, prerequisites, priority } = state;
  return {
    ...task,
    stall_timeout: stallTimeoutOf(state),
    priority,
    ...presentLimits(state),
    ...(prerequisites !== null &&
      prerequisites.length > 0 && {
        context: { ...task.context, previous_tasks: previousTasks(task, prerequisites) },
      }),
    ...(state.answers.length > 0 && {
      metadata: { ...task.metadata, escalation_answers: state.answers },
    }),
    checkpoint: state.memo?.checkpoint ?? null,
    attempt: state.attempt,
  };
}

/** The task for its executor as JSON text, the lease, and when its clocks end it, the budget's null until it runs: epoch milliseconds. Its trace. */
export function assignedAnswer(state: TaskState) {
  return {
    task: JSON.stringify(assignmentOf(state)),
    lease: leaseOf(state),
    deadline_at: totalDeadline(state),
    budget_ends_at: durationDeadline(state),
    trace_id: state.origin.trace_id,
  };
}

/**
 * Commands that the executor has not acknowledged yet. What was granted before the attempt was assigned is in the limits
 * that it came with: told again, it would be counted twice.
 */
export function openCommandsOf(state: TaskState): OpenCommand[] {
  const since = state.holder?.assigned_at ?? 0;
  return state.commands
    .filter((command) => command.state === "requested")
    .map(({ command_id, command, reason, priority, grant, action, requested_at }) => ({
      command_id,
      command,
      reason,
      ...(action !== undefined && { action }),
      ...(priority !== undefined && { priority }),
      ...(grant !== undefined && requested_at >= since && { grant: sayable(grant) }),
    }));
}

/** The renewed lease and the open commands as JSON text. Refused with lease_lost when the beat has ended the attempt. */
export function heartbeatAnswer(state: TaskState, now: number): Result<string, Refusal> {
  if (state.holder === null) return refuse({ code: "lease_lost", detail: "The attempt is over." });
  // After the verdict the lease lasts until the task has ended, and nothing of a beat is written.
  const kept = instant(now + state.task.heartbeat_timeout * 1_000);
  const lease = { ...leaseOf(state), ...(state.verdict !== null && { expires_at: kept }) };
  return ok(JSON.stringify({ lease, commands: openCommandsOf(state) }));
}

/** The commands that are remembered, in the order in which they were given. */
export function commandEntriesOf(state: TaskState): CommandEntry[] {
  return state.commands.map((command) => ({
    command_id: command.command_id,
    command: command.command,
    state: command.state,
    requested_at: instant(command.requested_at),
    reason: command.reason,
    actor: command.actor,
    spent_since: command.spent_since ?? null,
  }));
}

/** An escalation as JSON text, and who may answer it. */
export interface EscalationAnswer {
  escalation: string;
  level: string;
  asked_by: string;
}

/** An escalation, and who may answer it. Refused with escalation_not_found when the task remembers no such one. */
export function escalationAnswer(
  state: TaskState,
  escalation_id: string,
): Result<EscalationAnswer, Refusal> {
  const escalation = [state.escalation, ...state.past_escalations].find(
    (known) => known?.escalation_id === escalation_id,
  );
  if (escalation == null) {
    return refuse({ code: "escalation_not_found", detail: "This task has no such escalation." });
  }
  const { level, asked_by } = escalation;
  return ok({ escalation: JSON.stringify(escalationOf(state, escalation)), level, asked_by });
}

/** A command that was just issued. */
export function requestedCommand(state: TaskState, command_id: string): CommandView {
  const command = state.commands.find((known) => known.command_id === command_id);
  if (command === undefined) throw new Error("an issued command is not in the state");
  return {
    command_id,
    command: command.command,
    state: command.state,
    requested_at: instant(command.requested_at),
  };
}

/** Whether a message is no repetition, and the attempt that it ended; null when that goes on. */
export interface Reception {
  isNew: boolean;
  ended_attempt: number | null;
}

/**
 * The attempt that the holder of this token has just ended, by whatever it said; null when it goes on.
 *
 * @param token of the message, which was accepted
 */
function endedAttemptOf(state: TaskState, token: string | null): number | null {
  const goesOn = state.verdict === null && state.holder?.token === token;
  return goesOn ? null : state.attempt;
}

/** Where a notification is in the log, or where the gap is that it waits for; and what it has ended. */
export function notificationReceiptOf(
  { state, change, events }: { state: TaskState; change: Change; events: LoggedEvent[] },
  { type, token }: { type: string; token: string | null },
): Reception & { receipt: NotificationReceipt } {
  if (change.hold !== undefined) {
    const expected_sequence = state.holder?.next_sequence ?? 1;
    return { receipt: { held: true, expected_sequence }, isNew: true, ended_attempt: null };
  }
  const own = events.find((event) => event.type === type);
  const seq = change.repeated_seq ?? own?.seq ?? state.seq;
  const receipt = { seq, event_id: eventIdOf(state, seq) };
  const isNew = change.repeated_seq === undefined;
  return { receipt, isNew, ended_attempt: isNew ? endedAttemptOf(state, token) : null };
}

/** Some of the task's events as a JSON array, and whether there are more behind them. */
export function pageOf(
  state: TaskState,
  events: readonly LoggedEvent[],
): { events: string; isMore: boolean } {
  const isMore = (events.at(-1)?.seq ?? state.seq) < state.seq;
  return { events: JSON.stringify(events.map((event) => eventOf(state, event))), isMore };
}

/** The escalation that was just resolved, as JSON text. */
export function latestEscalation(state: TaskState): string {
  if (state.escalation === null) throw new Error("a resolved escalation is gone");
  return JSON.stringify(escalationOf(state, state.escalation));
}

/** The frozen verdict, as the answer to agent_end_task. */
function endReceiptOf(state: TaskState, change: Change, token: string | null): EndReceipt {
  if (state.verdict === null) throw new Error("an accepted end leaves a verdict");
  const { reason, hasPartialResults } = state.verdict;
  // They are the holder's: a former one must not clean up in its place.
  const own = state.holder?.token === token ? openCommandsOf(state) : [];
  const cleanup_commands = own.flatMap(({ command_id, action }) =>
    action === undefined ? [] : [{ command_id, action }],
  );
  return {
    task_id: state.origin.task_id,
    end_reason: reason,
    completion_status: completionStatusOf(reason, hasPartialResults),
    ...(change.isReasonIgnored === true && { reason_ignored: true }),
    ...(change.areFactsIgnored === true && { facts_ignored: true }),
    ...(cleanup_commands.length > 0 && { cleanup_commands }),
  };
}

/** What came of an executor's last word. */
export function endAnswerOf(
  { state, change }: { state: TaskState; change: Change },
  token: string | null,
): Reception & { receipt: string } {
  const isIgnored = change.isReasonIgnored === true;
  const isFirst = change.repeated_seq === undefined;
  const ended_attempt = isFirst ? endedAttemptOf(state, token) : null;
  const receipt = JSON.stringify(endReceiptOf(state, change, token));
  return { receipt, isNew: isFirst && !isIgnored, ended_attempt };
}

/**
 * The end-task report as JSON text: the final event's facts, and the log as its timeline.
 *
 * @param log the whole log in portions
 */
export function reportText(
  state: TaskState,
  log: Iterable<readonly LoggedEvent[]>,
): Result<string, Refusal> {
  const timeline: Report["timeline"] = [];
  let final: LoggedEvent | undefined;
  for (const events of log) {
    timeline.push(...timelineOf(events.map((event) => eventOf(state, event))));
    final = events.find(({ type }) => type === "agent_end_task") ?? final;
  }
  if (final === undefined) {
    return refuse({
      code: "report_not_ready",
      detail: `The report is written when the task ends; it is in phase ${state.phase}.`,
    });
  }
  return ok(JSON.stringify({ ...final.data, timeline }));
}
