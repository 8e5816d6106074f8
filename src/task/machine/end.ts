import { ok, refuse } from "../../lib/result.ts";
import type { AgentEndTask } from "../../protocol/agent-end-task.ts";
import type { Fault, Refusal } from "../../protocol/refusal.ts";
import { memoryPolicy } from "../finish/memory-policy.ts";
import type { Command, Decision } from "./commands.ts";
import { resultFaults } from "./gates.ts";
import { memoOf } from "./heartbeat.ts";
import { fence } from "./lease.ts";
import { futureFault } from "./punctuality.ts";
import type { DraftEvent, Holder, Memo, TaskState } from "./state.ts";
import { SYSTEM, hasVerdict } from "./state.ts";
import { closedCancels, verdictEvent } from "./verdict.ts";

type Of<Type extends Command["type"]> = Extract<Command, { type: Type }>;

function findingOf(state: TaskState, end: AgentEndTask): Parameters<typeof verdictEvent>[1] {
  const error = end.error_information;
  return {
    reason: end.reason,
    actor: { kind: "executor", id: end.agent_id },
    result: end.result_data?.output ?? null,
    quality: end.quality_assessment ?? null,
    error:
      error === undefined
        ? null
        : { type: error.error_code, message: error.error_message, root_cause: null },
    hasPartialResults:
      end.reason !== "success" &&
      ((end.result_data?.output ?? null) !== null ||
        (state.progress?.intermediate ?? null) !== null),
  };
}

/** A second last word: the verdict stands, whoever held the task gets the same answer again. */
function repeatedEnd(state: TaskState, end: AgentEndTask, isReasonIgnored: boolean): Decision {
  return state.holders.includes(end.agent_id)
    ? ok({
        events: [],
        repeated_seq: state.seq,
        isReasonIgnored,
        ...(state.memo?.end == null && { areFactsIgnored: true }),
      })
    : refuse(
        strangerRefusal(
          { code: "wrong_agent", detail: `Agent ${end.agent_id} never held this task.` },
          end,
        ),
      );
}

function memoWithEnd(state: TaskState, holder: Holder, end: AgentEndTask, now: number): Memo {
  const memo = memoOf(state, holder, now);
  return {
    ...memo,
    cost_usd: Math.max(memo.cost_usd, end.execution_metrics?.cost_incurred ?? 0),
    tokens: Math.max(memo.tokens, end.execution_metrics?.tokens_consumed ?? 0),
    end,
    end_at: now,
  };
}

/** What the executor says it has to clean up comes back to it as commands, so that somebody sees whether it does. */
function cleanupCommands(state: TaskState, end: AgentEndTask): DraftEvent[] {
  return (end.cleanup_actions ?? []).map((action, index) => ({
    type: "command_issued",
    actor: SYSTEM,
    data: {
      command_id: `cleanup_${index + 1}_${state.origin.task_id}`,
      command: "cleanup",
      reason: "cleanup_actions of agent_end_task",
      action,
      state: "requested",
    },
  }));
}

function takesNoMore(state: TaskState): boolean {
  return hasVerdict(state) && (state.memo?.end != null || state.holder === null);
}

/** A success without task_completed passes the same gates, at the places of this message. */
function gateFaults(state: TaskState, end: AgentEndTask): Fault[] {
  const { quality_assessment } = end;
  if (end.reason !== "success" || quality_assessment === undefined) return [];
  const outcome = { result: end.result_data?.output ?? null, quality_assessment };
  return resultFaults(state.task, outcome).map((fault) => ({
    ...fault,
    pointer: fault.pointer
      .replace(/^\/data\/result/, "/result_data/output")
      .replace(/^\/data\/quality_assessment/, "/quality_assessment"),
  }));
}

function neverStarted(state: TaskState, holder: Holder, end: AgentEndTask): boolean {
  return !hasVerdict(state) && end.reason === "success" && holder.started_at === null;
}

/** Who may not end this task, with the place of the message that says so. */
function strangerRefusal(refusal: Refusal, { agent_id }: AgentEndTask): Refusal {
  if (refusal.code !== "wrong_agent") return refusal;
  const fault = { pointer: "/agent_id", code: "wrong_agent", detail: "must be the holder's id" };
  return { ...refusal, errors: [{ ...fault, received: agent_id }] };
}

/** Why an end can't be taken although its sender holds the task; null when it can. */
function contentRefusal(
  state: TaskState,
  holder: Holder,
  { end, now }: { end: AgentEndTask; now: number },
): Refusal | null {
  const untimely = futureFault(end, now);
  if (untimely !== null) return untimely;
  if (neverStarted(state, holder, end)) {
    return {
      code: "transition_refused",
      detail: "A task that was never started cannot end with success; send task_started first.",
      errors: [
        {
          pointer: "/reason",
          code: "not_started",
          detail: "task_started must come before success",
          expected: "another reason, or task_started before it",
          received: end.reason,
        },
      ],
    };
  }
  const faults = hasVerdict(state) ? [] : gateFaults(state, end);
  if (faults.length === 0) return null;
  return {
    code: "result_rejected",
    detail:
      "The result does not meet the task's contract; end with another reason or a better one.",
    errors: faults,
  };
}

function mismatch(task_id: string, end: AgentEndTask): Refusal {
  return {
    code: "task_mismatch",
    detail: `task_id is ${end.task_id}, the address names ${task_id}`,
    errors: [
      {
        pointer: "/task_id",
        code: "mismatch",
        detail: "must be the task of the address",
        expected: task_id,
        received: end.task_id,
      },
    ],
  };
}

/**
 * The executor's last word. It is a verdict where none is frozen; otherwise its facts enter the report.
 * A repeated one changes nothing.
 *
 * Refused with task_mismatch, wrong_agent, lease_lost, timestamp_in_future, transition_refused or result_rejected.
 */
export function decideEnd(state: TaskState, command: Of<"end">, now: number): Decision {
  const { end, token } = command;
  const { task_id } = state.origin;
  if (end.task_id !== task_id) return refuse(mismatch(task_id, end));
  const isReasonIgnored = hasVerdict(state) && state.verdict.reason !== end.reason;
  if (takesNoMore(state)) return repeatedEnd(state, end, isReasonIgnored);
  const fenced = fence(state, token, end.agent_id);
  if (!fenced.ok) return refuse(strangerRefusal(fenced.refusal, end));
  const refusal = contentRefusal(state, fenced.value, { end, now });
  if (refusal !== null) return refuse(refusal);
  const memo = memoWithEnd(state, fenced.value, end, now);
  // An executor that ends stops, whatever the reason; only a success leaves nothing to cancel.
  const outcome = end.reason === "success" ? "rejected" : "confirmed";
  const verdict = [
    ...closedCancels({ ...state, memo }, outcome, { kind: "executor", id: end.agent_id }, now),
    verdictEvent(state, findingOf(state, end)),
  ];
  return ok({
    memo,
    events: [...(hasVerdict(state) ? [] : verdict), ...cleanupCommands(state, end)],
    isReasonIgnored,
  });
}

/** The memo without its checkpoint; null where there is none to drop, or the memory policy keeps it. */
function memoAtEnd({ memo, task, verdict }: TaskState): Memo | null {
  if (memo === null || memo.checkpoint === null || verdict === null) return null;
  const policy = memoryPolicy(task.task_type, verdict.reason, task.execution_options.keep_memory);
  return policy.checkpoint === "keep" ? null : { ...memo, checkpoint: null };
}

function unconfirmedCleanups({ commands }: TaskState): DraftEvent[] {
  return commands
    .filter(({ command, state }) => command === "cleanup" && state === "requested")
    .map(({ command_id, command }) => ({
      type: "command_acknowledged",
      actor: SYSTEM,
      data: { command_id, command, state: "unresponsive" },
    }));
}

/** End phases were carried out. With the report the task is over, and its memory goes if it is not kept. */
export function decideFinish(state: TaskState, command: Of<"finish">): Decision {
  if (!hasVerdict(state) || state.phase !== "finalizing") return ok({ events: [] });
  const recorded = new Set(state.end_phases.map((phase) => phase.name));
  const phases = command.phases
    .filter((phase) => !recorded.has(phase.name))
    .map((phase): DraftEvent => ({
      type: "finalization_phase",
      actor: SYSTEM,
      data: { ...phase },
    }));
  const isCleanedUp = command.phases.some(({ name }) => name === "cleanup");
  // What nobody waits for any more is closed: a command that stays open would be promised for ever.
  const closed = isCleanedUp || command.report !== null ? unconfirmedCleanups(state) : [];
  if (command.report === null) return ok({ events: [...closed, ...phases] });
  const memo = memoAtEnd(state);
  return ok({
    ...(memo !== null && { memo }),
    events: [...closed, ...phases, { type: "agent_end_task", actor: SYSTEM, data: command.report }],
  });
}
