import { instant } from "../../lib/ports.ts";
import type { EndPhaseRecord, Report } from "../../protocol/task-view.ts";
import type { TaskState, Verdict } from "../machine/state.ts";
import { usageOf } from "../machine/state.ts";
import { completionStatusOf } from "../machine/verdict.ts";

type ReportWithoutTimeline = Omit<Report, "timeline">;

function metricsOf(state: TaskState, verdict: Verdict, now: number): Report["metrics"] {
  const end = state.memo?.end ?? null;
  const executing_s = state.started_at === null ? null : (verdict.at - state.started_at) / 1_000;
  return {
    duration_s: (now - state.created_at) / 1_000,
    queued_s: state.started_at === null ? null : (state.started_at - state.created_at) / 1_000,
    executing_s,
    attempts: state.attempt,
    retries: state.retries_used,
    // The report itself is the last notification.
    notifications: state.notification_count + 1,
    ...usageOf(state),
    executor: end?.execution_metrics === undefined ? null : { ...end.execution_metrics },
  };
}

function postMortemOf(state: TaskState, verdict: Verdict): Report["post_mortem"] {
  const mishaps = state.mishaps.map((mishap) => ({
    what: mishap.what,
    when: instant(mishap.at),
    class: mishap.class,
    effect: mishap.effect,
    action: mishap.action,
  }));
  if (verdict.error === null) return mishaps;
  const cause = verdict.error.root_cause?.["class"];
  return [
    ...mishaps,
    {
      what: verdict.error.message,
      when: instant(verdict.at),
      class: typeof cause === "string" ? cause : verdict.error.type,
      effect: `The task ended with reason ${verdict.reason}`,
      action: verdict.hasPartialResults ? "Partial results were kept" : "None was possible",
    },
  ];
}

function recommendationsOf(state: TaskState, verdict: Verdict): string[] {
  const advice: Record<string, string> = {
    attempt_timeout: `Raise timeout above ${state.task.timeout} s or split the task`,
    queue_timeout: `Register an executor that fits in pool ${state.task.pool}, or raise queue_timeout`,
    lease_lost: "Send heartbeats more often than heartbeat_timeout, or raise it",
    budget_exceeded: "Raise the budget or split the task",
  };
  const own = advice[verdict.error?.type ?? ""];
  return own === undefined ? [] : [own];
}

/** Recorded facts of a task as its end-task report, all but the timeline, which the log itself is. */
export function reportOf(
  state: TaskState,
  verdict: Verdict,
  finish: {
    phases: EndPhaseRecord[];
    debt: Report["cleanup_debt"];
    now: number;
    /** What its stages suggest. */
    advice?: string[];
  },
): ReportWithoutTimeline {
  const end = state.memo?.end ?? null;
  const failed = finish.phases.filter(({ outcome }) => outcome !== "done" && outcome !== "skipped");
  return {
    task_id: state.origin.task_id,
    reason: verdict.reason,
    completion_status: completionStatusOf(verdict.reason, verdict.hasPartialResults),
    partial: verdict.hasPartialResults,
    metrics: metricsOf(state, verdict, finish.now),
    quality_assessment: verdict.quality ?? end?.quality_assessment ?? null,
    post_mortem: postMortemOf(state, verdict),
    finalization: {
      outcome: failed.length === 0 && finish.debt.length === 0 ? "complete" : "partial",
      phases: finish.phases,
      problems: failed.map(({ name, outcome }) => `${name} ended as ${outcome}`),
      recommendations: [...recommendationsOf(state, verdict), ...(finish.advice ?? [])],
    },
    cleanup_debt: finish.debt,
    next_actions: end?.next_actions === undefined ? null : { ...end.next_actions },
  };
}

/** The least that can be said of an end, for a task whose report could not be composed. */
export function plainReportOf(
  state: TaskState,
  verdict: Verdict,
  finish: { phases: EndPhaseRecord[]; debt: Report["cleanup_debt"]; now: number },
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
