import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { EndReason } from "../../protocol/enums.ts";
import type { ChildReport } from "../../protocol/kin.ts";
import type { Subtasks } from "../../protocol/task-execution.ts";
import type { Decision } from "../machine/commands.ts";
import { resultFaults } from "../machine/gates.ts";
import type { DraftEvent, TaskState } from "../machine/state.ts";
import { SYSTEM, hasVerdict } from "../machine/state.ts";
import { closedCancels, closedEscalation, openCancels, verdictEvent } from "../machine/verdict.ts";
import { aggregate } from "./aggregate.ts";
import type { Contribution } from "./aggregate.ts";
import { budgetEvents } from "./budget-events.ts";
import { LARGEST_JOINED, carried, omitted } from "./carry.ts";
import { openChildren, weightedProgress } from "./family.ts";
import { isHeldBack } from "./gates.ts";
import { joinOf, neededOf } from "./join.ts";
import type { Join } from "./join.ts";
import { systemNews } from "./system-news.ts";

/** Percent by which the progress must have moved to be told. */
const TOLD_STEP = 10;

/**
 * How the children of a composite task stand; open for any other task, and while something else is in the way: once
 * it is being cancelled they decide nothing any more.
 */
export function familyJoin(state: TaskState): Join {
  const { subtasks } = state.task;
  const isAtWork = state.phase === "waiting_dependencies" || state.phase === "executing";
  const isInTheWay = isHeldBack(state) || openCancels(state).length > 0;
  if (subtasks === undefined || !isAtWork || isInTheWay) return { kind: "open" };
  return joinOf(subtasks, state.family?.children ?? []);
}

function startedEvents(state: TaskState, now: number): DraftEvent[] {
  const hasBegun = (state.family?.children ?? []).some(
    ({ report }) => (report?.used.attempts ?? 0) > 0 || (report?.percentage ?? null) !== null,
  );
  if (state.phase !== "waiting_dependencies" || isHeldBack(state) || !hasBegun) return [];
  const { task } = state;
  return [
    systemNews(
      state,
      "task_started",
      {
        task_type: task.task_type,
        estimated_duration: task.estimated_duration ?? task.timeout,
        complexity: task.complexity ?? state.origin.assessment?.band ?? "medium",
      },
      now,
    ),
  ];
}

function stepOf(
  state: TaskState,
  subtasks: Subtasks,
): { step: string; ended: number; total: number } {
  const children = state.family?.children ?? [];
  const ended = children.length - openChildren(state.family).length;
  const total = Math.max(subtasks.expected, children.length);
  return { step: `${ended} of ${total} subtasks have ended`, ended, total };
}

function progressEvents(
  state: TaskState,
  subtasks: Subtasks,
  isStarting: boolean,
  now: number,
): DraftEvent[] {
  if (state.phase !== "executing" && !isStarting) return [];
  const before = isStarting ? 0 : (state.progress?.percentage ?? 0);
  const percentage = Math.floor(weightedProgress(state.family, subtasks.expected));
  const { step, ended, total } = stepOf(state, subtasks);
  const hasOneEnded = ended > 0 && (isStarting || state.progress?.step !== step);
  if (!hasOneEnded && percentage < before + TOLD_STEP) return [];
  return [
    systemNews(
      state,
      "task_progress",
      {
        // A child that tries again falls back; what was told never does.
        progress_percentage: Math.max(before, percentage),
        current_step: step,
        steps_completed: ended,
        total_steps: total,
      },
      now,
    ),
  ];
}

function failure(state: TaskState, type: string, message: string): DraftEvent[] {
  return [
    ...closedCancels(state, "rejected"),
    verdictEvent(state, { reason: "failure", error: { type, message, root_cause: null } }),
  ];
}

/** What successful children contribute; a result that is too large is only named by its address. */
function contributionsOf(results: readonly ChildReport[]): Contribution[] {
  return carried(
    results.filter(({ end_reason }) => end_reason === "success"),
    LARGEST_JOINED,
  ).map(({ item, isCarried }) => (isCarried ? item : { ...item, result: omitted(item.task_id) }));
}

interface Joined {
  contributions: readonly Contribution[];
  result: unknown;
  quality: { overall_score: number };
}

type Attempt = Result<Joined, { type: string; message: string }>;

/** One result of these contributions. It passes the same gates as an executor's (protocol.md §7, Gates). */
function joined(
  { task }: TaskState,
  subtasks: Subtasks,
  contributions: readonly Contribution[],
): Attempt {
  const done = aggregate(subtasks, contributions);
  if (!done.ok) return refuse({ type: "aggregation_failed", message: done.refusal });
  const { result, score } = done.value;
  const quality = { overall_score: Math.min(1, score) };
  const faults = resultFaults(task, { result, quality_assessment: quality });
  if (faults.length === 0) return ok({ contributions, result, quality });
  const findings = faults.map(({ pointer, detail }) => `${pointer}: ${detail}`).join("; ");
  const message = `The joined result breaks the contract: ${findings}`;
  return refuse({ type: "result_rejected", message });
}

/**
 * The best that can be made of the successes so far: of all of them, or, where not all need to succeed, of
 * those that would pass the gates alone. One that breaks them decides nothing as long as enough others do not.
 */
function attempted(state: TaskState, subtasks: Subtasks, results: readonly ChildReport[]): Attempt {
  const contributions = contributionsOf(results);
  const ofAll = joined(state, subtasks, contributions);
  if (ofAll.ok || subtasks.join === "all") return ofAll;
  const fit = contributions.filter((one) => joined(state, subtasks, [one]).ok);
  if (fit.length < neededOf(subtasks)) return ofAll;
  const ofFit = joined(state, subtasks, fit);
  return ofFit.ok ? ofFit : ofAll;
}

/** Whether a success may come yet that would make up for those that do not qualify. */
function mayStillQualify(state: TaskState, subtasks: Subtasks): boolean {
  const children = state.family?.children ?? [];
  const total = Math.max(subtasks.expected, children.length);
  const ended = children.length - openChildren(state.family).length;
  return subtasks.join !== "all" && ended < total;
}

function completion(
  state: TaskState,
  subtasks: Subtasks,
  results: readonly ChildReport[],
  now: number,
): DraftEvent[] {
  const attempt = attempted(state, subtasks, results);
  if (!attempt.ok) {
    const isRejected = attempt.refusal.type === "result_rejected";
    return isRejected && mayStillQualify(state, subtasks)
      ? []
      : failure(state, attempt.refusal.type, attempt.refusal.message);
  }
  const { result, quality, contributions } = attempt.value;
  const completed = systemNews(
    state,
    "task_completed",
    {
      result,
      execution_summary: `Joined by ${subtasks.aggregation} from ${contributions.length} subtasks`,
      metrics: {
        execution_time: Math.max(0, now - (state.started_at ?? now)) / 1_000,
        // The children's use is theirs: counted again here it would count twice.
        tokens_used: 0,
        cost: 0,
        quality_score: quality.overall_score,
      },
      quality_assessment: quality,
      related_tasks: contributions.map(({ task_id }) => task_id),
    },
    now,
  );
  return [
    completed,
    ...closedCancels(state, "rejected"),
    verdictEvent(state, { reason: "success", result, quality }),
  ];
}

function joinEvents(state: TaskState, results: readonly ChildReport[], now: number): DraftEvent[] {
  const { subtasks } = state.task;
  if (subtasks === undefined || isHeldBack(state)) return [];
  const started = startedEvents(state, now);
  const progress = progressEvents(state, subtasks, started.length > 0, now);
  const join = familyJoin(state);
  switch (join.kind) {
    case "open":
      return [...started, ...progress];
    case "success":
      return [...started, ...progress, ...completion(state, subtasks, results, now)];
    case "failure":
      return [...started, ...progress, ...failure(state, "subtasks_failed", join.message)];
  }
}

/** A cancellation that waited for the children is confirmed when the last of them has ended. */
function confirmedCancel(state: TaskState): DraftEvent[] {
  const waitsForChildren = state.holder === null && openCancels(state).length > 0;
  return waitsForChildren && openChildren(state.family).length === 0
    ? [...closedCancels(state, "confirmed"), verdictEvent(state, { reason: "cancelled" })]
    : [];
}

/**
 * What a change in the family leads to: the budget of the tree, a cancellation that waited for the children, and
 * for a composite task its start, progress and outcome.
 *
 * @param now epoch milliseconds
 */
export function decideFamily(
  state: TaskState,
  { results }: { results: readonly ChildReport[] },
  now: number,
): Decision {
  if (hasVerdict(state)) return ok({ events: [] });
  const budget = budgetEvents(state, state.memo);
  if (budget.some(({ type }) => type === "verdict")) return ok({ events: budget });
  const cancelled = confirmedCancel(state);
  if (cancelled.length > 0) return ok({ events: [...budget, ...cancelled] });
  const isCancelling = openCancels(state).length > 0;
  return ok({ events: [...budget, ...(isCancelling ? [] : joinEvents(state, results, now))] });
}

/**
 * The parent is over: the task is stopped. Whoever has nobody to ask ends at once; an executor, and children of
 * its own, get the grace of a cancellation. Repeated, it changes nothing.
 */
export function decideStop(
  state: TaskState,
  stop: { command_id: string; reason: EndReason; message: string },
): Decision {
  if (hasVerdict(state) || openCancels(state).length > 0) return ok({ events: [] });
  const mustWait = state.holder !== null || openChildren(state.family).length > 0;
  const issued: DraftEvent = {
    type: "command_issued",
    actor: SYSTEM,
    data: {
      command_id: stop.command_id,
      command: "cancel",
      reason: stop.message,
      state: mustWait ? "requested" : "confirmed",
      end_reason: stop.reason,
    },
  };
  if (mustWait) return ok({ events: [issued, ...closedEscalation(state)] });
  return ok({
    events: [
      issued,
      verdictEvent(state, {
        reason: stop.reason,
        error: { type: "stopped", message: stop.message, root_cause: null },
      }),
    ],
  });
}
