import { PERMANENT_CLASSES } from "../../protocol/notification.ts";
import type { Report } from "../../protocol/task-view.ts";
import { limitsOf, usedInTree } from "../kin/tree-budget.ts";
import type { Incident } from "../machine/incident-kinds.ts";
import { totalDeadline } from "../machine/limits.ts";
import type { TaskState, Verdict } from "../machine/state.ts";
import { CANCEL_GRACE_MS } from "../machine/state.ts";
import { clipped } from "./post-mortem.ts";

/** The largest timeout that the contract knows. Seconds. */
const LONGEST_TIMEOUT_S = 86_400;

/** So many suggestions of executors are passed on. */
const MOST_SUGGESTIONS = 5;

/** Times that a cause must have come for it to be the cause to cure. */
const REPEATED = 2;

type Advice = (state: TaskState, incidents: readonly Incident[]) => string;

/** About what the whole work takes, if the rest takes as long as what is done; null when nothing says so. */
function projected(used: number, percentage: number | null | undefined): number | null {
  return percentage == null || percentage <= 0 ? null : used / (percentage / 100);
}

const raiseTimeout: Advice = ({ task, granted }, incidents) => {
  const limit = task.timeout + granted.duration_s;
  const run = incidents.at(-1)?.run;
  const whole = projected(run?.seconds ?? 0, run?.percentage);
  if (run === undefined || whole === null)
    return `Raise timeout above ${limit} s or split the task`;
  const seen = `an attempt was at ${run.percentage ?? 0} % after ${Math.round(run.seconds)} s`;
  if (whole <= limit) return `Report completion as soon as the work is done: ${seen}`;
  const wanted = Math.ceil(whole);
  return wanted > LONGEST_TIMEOUT_S
    ? `Split the task: ${seen}, and the longest timeout is ${LONGEST_TIMEOUT_S} s`
    : `Raise timeout from ${limit} s to about ${wanted} s: ${seen}`;
};

const fitting: Advice = ({ task }) => {
  const { capabilities = [], agent_id } = task.requires ?? {};
  const wants = [
    task.task_type,
    ...(capabilities.length > 0 ? [`the capabilities ${capabilities.join(", ")}`] : []),
    ...(agent_id === undefined ? [] : [`the id ${agent_id}`]),
  ];
  return `Register an executor in pool ${task.pool} for ${wants.join(" with ")}`;
};

/** The limit of a resource that was exceeded, and about what the work takes. */
function raiseLimit(state: TaskState, resource: "cost_usd" | "tokens"): string {
  const used = usedInTree(state, state.memo)[resource];
  const limit = limitsOf(state)[resource] ?? used;
  const percentage = state.progress?.percentage ?? null;
  // The percentage is of the last attempt alone.
  const own = state.memo?.attempt === state.attempt ? state.memo[resource] : 0;
  const whole = own === 0 ? null : projected(own, percentage);
  const about =
    whole === null
      ? ""
      : ` at ${percentage} %, about ${Number(whole.toPrecision(3))} for all of it`;
  return `Raise max_${resource} above ${limit} or split the task: ${used} were used${about}`;
}

/** The budget that was exceeded, with the numbers seen. */
const raiseBudget: Advice = (state, incidents) => {
  const resource = /\b(cost_usd|tokens)\b/.exec(incidents.at(-1)?.what ?? "")?.[1];
  if (resource === "cost_usd" || resource === "tokens") return raiseLimit(state, resource);
  const limit = state.task.contract?.budget?.max_duration_s;
  return limit === undefined
    ? "Raise the budget or split the task"
    : `Raise max_duration_s above ${limit + state.granted.duration_s} s or split the task`;
};

/** What to do about each class that the machine itself knows. */
const ADVICE: Readonly<Record<string, Advice>> = {
  attempt_timeout: raiseTimeout,
  lease_lost: ({ task }, incidents) =>
    `Send heartbeats more often than every ${task.heartbeat_timeout} s or raise heartbeat_timeout: ${incidents.length} attempts lost their lease`,
  not_started: ({ task }, incidents) =>
    `Send task_started within ${task.heartbeat_timeout} s of the claim or raise heartbeat_timeout: ${incidents.length} attempts did not`,
  stall: (_state, incidents) =>
    `Report progress more often or raise stall_timeout: ${incidents.at(-1)?.what ?? ""}`,
  total_timeout: (state) =>
    `Raise total_timeout above ${(totalDeadline(state) - state.created_at) / 1_000} s${state.origin.lineage?.deadline_at == null ? "" : ", also of what is above it"}, or allow fewer or shorter attempts`,
  queue_timeout: (state, incidents) =>
    `${fitting(state, incidents)}, or raise queue_timeout above ${state.task.queue_timeout ?? 0} s`,
  declined: (state, incidents) =>
    `${fitting(state, incidents)}: ${incidents.length} times it was declined`,
  budget_exceeded: raiseBudget,
  overrun: (_state, incidents) =>
    `Estimate more time in task_started: ${incidents.at(-1)?.what ?? ""}`,
  blocked: (_state, incidents) =>
    `Remove what blocked the executor: ${incidents.at(-1)?.what ?? ""}`,
  escalation_expired: () =>
    "Answer escalations before their deadline, or have executors give a default_option",
  escalation_unanswered: () =>
    "Answer escalations before their deadline if the default will not do",
  unresponsive: ({ holders }) =>
    `Have ${holders.at(-1) ?? "the executors"} confirm a cancellation within ${CANCEL_GRACE_MS / 1_000} s: heartbeats bring it`,
  dependency_failed: (_state, incidents) =>
    `Cure the prerequisite first, or let the task start without it (on_failed_dependency): ${incidents.at(-1)?.what ?? ""}`,
  subtasks_failed: ({ family }) =>
    `Read the reports of the subtasks that failed, of ${(family?.children ?? []).length}, or ask for fewer to succeed (join)`,
};

/** Of budgets that were exceeded after all, the warning says nothing new. */
function warnings(byClass: ReadonlyMap<string, readonly Incident[]>): string[] {
  const last = byClass.get("budget_warning")?.at(-1);
  const isTold = byClass.has("budget_exceeded");
  return last === undefined || isTold ? [] : [`Leave more room in the budget: ${last.what}`];
}

/** Causes in the executors' own words: what came again and again, or can't be cured by another attempt. */
function causes(byClass: ReadonlyMap<string, readonly Incident[]>): string[] {
  return [...byClass].flatMap(([word, incidents]) => {
    const failures = incidents.filter(({ suggestions }) => suggestions !== undefined);
    if (failures.length === 0) return [];
    if (PERMANENT_CLASSES.some((permanent) => permanent === word)) {
      return [`Correct the request before it is submitted again: ${word} is not cured by a retry`];
    }
    return failures.length < REPEATED
      ? []
      : [
          `Cure ${word} before the task is submitted again: ${failures.length} attempts failed of it`,
        ];
  });
}

function suggested(incidents: readonly Incident[]): string[] {
  const all = incidents.flatMap(({ suggestions = [] }) => suggestions);
  return [...new Set(all)]
    .slice(0, MOST_SUGGESTIONS)
    .map((text) => `The executor suggests: ${text}`);
}

function quality({ task, memo }: TaskState, verdict: Verdict): string[] {
  const score = (verdict.quality ?? memo?.end?.quality_assessment)?.overall_score;
  const threshold = task.execution_options.quality_threshold;
  if (score === undefined || threshold === undefined || score >= threshold) return [];
  return [
    `Give more context, or lower quality_threshold: the quality was ${score}, ${threshold} were asked for`,
  ];
}

/**
 * What would help next time, derived from the causes, with the limits and the numbers that were seen. Each once.
 *
 * @param advice what the stages of the end have to say
 */
export function recommendationsOf(
  state: TaskState,
  verdict: Verdict,
  { debt, advice }: { debt: Report["cleanup_debt"]; advice: readonly string[] },
): string[] {
  const byClass = Map.groupBy(state.incidents, (incident) => incident.class);
  const known = [...byClass].flatMap(([word, incidents]) => {
    const advise = Object.hasOwn(ADVICE, word) ? ADVICE[word] : undefined;
    // An executor may use the same word for something of its own.
    const own = incidents.filter(({ suggestions }) => suggestions === undefined);
    return advise === undefined || own.length === 0 ? [] : [advise(state, own)];
  });
  const all = [
    ...known,
    ...warnings(byClass),
    ...causes(byClass),
    ...suggested(state.incidents),
    ...quality(state, verdict),
    ...debt.map(({ what, owner }) => `See that ${owner} is rid of what was left: ${what}`),
    ...advice,
  ];
  return [...new Set(all.map(clipped))];
}
