import type { EndPhaseRecord, Report } from "../../protocol/task-view.ts";
import type { TaskState, Verdict } from "../machine/state.ts";
import { usageOf } from "../machine/state.ts";
import { completionStatusOf } from "../machine/verdict.ts";
import { postMortemOf } from "./post-mortem.ts";
import { recommendationsOf } from "./recommendations.ts";

type ReportWithoutTimeline = Omit<Report, "timeline">;

/** What the end phases know when the report is written. `now` is epoch milliseconds. */
interface Finish {
  phases: EndPhaseRecord[];
  debt: Report["cleanup_debt"];
  now: number;
  /** What stages of the end recommend. */
  advice?: readonly string[];
}

/** Seconds between two instants; none where a clock went back. */
function secondsBetween(from: number, to: number): number {
  return Math.max(0, to - from) / 1_000;
}

function metricsOf(state: TaskState, verdict: Verdict, now: number): Report["metrics"] {
  const end = state.memo?.end ?? null;
  const { created_at, started_at } = state;
  const usage = usageOf(state);
  return {
    duration_s: secondsBetween(created_at, now),
    queued_s: started_at === null ? null : secondsBetween(created_at, started_at),
    executing_s: started_at === null ? null : secondsBetween(started_at, verdict.at),
    attempts: state.attempt,
    retries: state.retries_used,
    // The report itself is the last notification.
    notifications: state.notification_count + 1,
    ...usage,
    // No code of an orchestrator can call a model here: nothing outside src/executor has a door to one.
    tokens_by_role: { orchestrator: 0, executor: usage.tokens },
    executor: end?.execution_metrics === undefined ? null : { ...end.execution_metrics },
  };
}

function isUndone({ outcome }: EndPhaseRecord): boolean {
  return outcome !== "done" && outcome !== "skipped";
}

/** What is wrong with the end itself, for a person to read. */
function problemsOf({ phases, debt }: Finish): string[] {
  const ofPhases = phases.filter(isUndone).map(({ name, outcome, checks }) => {
    const undone = checks
      .filter(({ passed }) => !passed)
      .map((check) => (check.detail === "" ? check.name : `${check.name} (${check.detail})`));
    const what = undone.length === 0 ? "" : `; not achieved: ${undone.join(", ")}`;
    return `${name} ended as ${outcome}${what}`;
  });
  const ofDebt = debt.map(({ what, owner, expires_at }) => {
    const until = expires_at === null ? "" : ` until ${expires_at}`;
    return `left undone: ${what}, which ${owner} has${until}`;
  });
  return [...ofPhases, ...ofDebt];
}

/**
 * Recorded facts of a task as its end-task report, all but the timeline, which the log itself is.
 *
 * It never throws: facts that are not there are null, and a log that says less makes a report that says less.
 */
export function reportOf(
  state: TaskState,
  verdict: Verdict,
  finish: Finish,
): ReportWithoutTimeline {
  const end = state.memo?.end ?? null;
  const { phases, debt, now, advice = [] } = finish;
  const isPartial = debt.length > 0 || phases.some(isUndone);
  return {
    task_id: state.origin.task_id,
    reason: verdict.reason,
    completion_status: completionStatusOf(verdict.reason, verdict.hasPartialResults),
    partial: verdict.hasPartialResults,
    metrics: metricsOf(state, verdict, now),
    quality_assessment: verdict.quality ?? end?.quality_assessment ?? null,
    post_mortem: postMortemOf(state, verdict, { phases, debts: debt.length }),
    finalization: {
      outcome: isPartial ? "partial" : "complete",
      phases,
      problems: problemsOf(finish),
      recommendations: recommendationsOf(state, verdict, { debt, advice }),
    },
    cleanup_debt: debt,
    next_actions: end?.next_actions === undefined ? null : { ...end.next_actions },
  };
}

/** The least that can be said of an end, for a task whose report could not be composed. */
export function plainReportOf(
  state: TaskState,
  verdict: Verdict,
  finish: Finish,
): ReportWithoutTimeline {
  return {
    task_id: state.origin.task_id,
    reason: verdict.reason,
    completion_status: completionStatusOf(verdict.reason, verdict.hasPartialResults),
    partial: verdict.hasPartialResults,
    metrics: metricsOf(state, verdict, finish.now),
    quality_assessment: null,
    post_mortem: [],
    finalization: {
      outcome: "partial",
      phases: finish.phases,
      problems: ["The report could not be composed; the log of the task has every fact"],
      recommendations: [],
    },
    cleanup_debt: finish.debt,
    next_actions: null,
  };
}
