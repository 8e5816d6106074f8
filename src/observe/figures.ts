import { percentile } from "../lib/percentile.ts";
import type { MetricsBy, MetricsGroup } from "../protocol/observation.ts";
import { causeOf, durationsOf, failuresOf, isJudged, isSuccess } from "./run.ts";
import { successRateOf, type Run } from "./run.ts";

/** Failure causes that a group names, the most frequent first. */
const MAX_CAUSES = 10;

/** The hour of the day. The stored form of an instant is UTC: 2026-11-22T10:… */
function hourOf({ created_at }: Run): string {
  return created_at.slice(11, 13);
}

/** Which group a run belongs to. */
function keyOf(run: Run, by: MetricsBy): string | null {
  switch (by) {
    case "agent":
      return run.agent_id;
    case "task_type":
      return run.task_type;
    case "hour":
      return hourOf(run);
    case "task_type_hour":
      return `${run.task_type}/${hourOf(run)}`;
  }
}

/** A sum without the dust that adding binary fractions leaves; at most what the contract's integers can hold. */
function sumOf(values: readonly number[]): number {
  const sum = values.reduce((one, other) => one + other, 0);
  return Math.min(Number(sum.toFixed(6)), Number.MAX_SAFE_INTEGER);
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : Number((sumOf(values) / values.length).toFixed(6));
}

/** The causes of failed runs with their counts, most frequent first, ties by name. */
export function causesOf(runs: readonly Run[]): { cause: string; count: number }[] {
  const byCause = Map.groupBy(failuresOf(runs), causeOf);
  return [...byCause]
    .map(([cause, { length: count }]) => ({ cause, count }))
    .toSorted((a, b) => b.count - a.count || (a.cause < b.cause ? -1 : 1));
}

function retryEffectOf(judged: readonly Run[]): MetricsGroup["retry_effect"] {
  const retried = judged.filter(({ attempt }) => attempt > 1);
  return {
    retried: retried.length,
    success_rate_retried: successRateOf(retried),
    success_rate_at_once: successRateOf(judged.filter(({ attempt }) => attempt <= 1)),
  };
}

function groupOf(key: string | null, runs: readonly Run[], escalations: number): MetricsGroup {
  const judged = runs.filter(isJudged);
  const durations = durationsOf(runs);
  const [p50, p95] = [percentile(durations, 0.5), percentile(durations, 0.95)];
  return {
    key,
    volume: runs.length,
    open: runs.filter(({ end_reason }) => end_reason === null).length,
    runs: judged.length,
    cancelled: runs.filter(({ end_reason }) => end_reason === "cancelled").length,
    succeeded: judged.filter(isSuccess).length,
    success_rate: successRateOf(runs),
    duration_s: p50 === null || p95 === null ? null : { p50, p95 },
    quality: meanOf(judged.flatMap(({ quality }) => quality ?? [])),
    cost_usd: sumOf(runs.map(({ cost_usd }) => cost_usd)),
    tokens: sumOf(runs.map(({ tokens }) => tokens)),
    escalations,
    retries: sumOf(runs.map(({ attempt }) => Math.max(0, attempt - 1))),
    failure_causes: causesOf(runs).slice(0, MAX_CAUSES),
    retry_effect: retryEffectOf(judged),
  };
}

/**
 * Figures of runs by what they have in common: hours, and types with their hours, in their order, other groups by volume, the largest first.
 *
 * A run counts for the executor that had it last, and so do the questions that it asked.
 *
 * @param questions the task of each question; one whose task is not among the runs counts for no group
 */
export function groupsOf(
  runs: readonly Run[],
  by: MetricsBy,
  questions: readonly { task_id: string }[],
): MetricsGroup[] {
  const asked = Map.groupBy(questions, ({ task_id }) => task_id);
  const groups = [...Map.groupBy(runs, (run) => keyOf(run, by))].map(([key, members]) => {
    const counts = members.map(({ task_id }) => asked.get(task_id)?.length ?? 0);
    return groupOf(key, members, sumOf(counts));
  });
  const isByHour = by === "hour" || by === "task_type_hour";
  const byKey = (a: MetricsGroup, b: MetricsGroup) => ((a.key ?? "") < (b.key ?? "") ? -1 : 1);
  return groups.toSorted((a, b) => (isByHour ? byKey(a, b) : b.volume - a.volume || byKey(a, b)));
}
