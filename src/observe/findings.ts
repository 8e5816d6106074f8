import { percentile } from "../lib/percentile.ts";
import type { Insight } from "../protocol/observation.ts";
import { causesOf } from "./figures.ts";
import { durationsOf, failuresOf, isJudged, isSuccess, successRateOf } from "./run.ts";
import type { Question, Run } from "./run.ts";

/* One rule each: from runs to findings. `score` is the number of tasks that it costs, by an estimate. */

/** Runs below which a rate is an anecdote. */
const FEWEST_RUNS = 10;

/** A rise that matters (in shares), and by how many standard errors it must exceed chance (1 % one-sided). */
const LEAST_RISE = 0.15;
const LEAST_Z = 2.33;

/** How many times slower than its peers is slow. */
const SLOW_RATIO = 2;

/** Failures, and the share of them that one cause must have to be what is wrong. */
const FEWEST_FAILURES = 5;
const DOMINANT_SHARE = 0.6;

/** Success of retried tasks below which retrying is a waste. */
const USELESS_RETRY_RATE = 0.1;

/** Tasks that nobody took in time, and their share, from which capacity is missing. */
const FEWEST_UNTAKEN = 3;
const LEAST_UNTAKEN_SHARE = 0.05;

/** A cost this many times the median of its type is an outlier. */
const OUTLIER_RATIO = 10;

/** Seconds that a question may wait before it is a finding. */
const PATIENCE_S = 3_600;

/** A finding of which something is also said by another rule weighs half. */
export const DIAGNOSIS_WEIGHT = 0.5;

/** The runs to judge, and those of the time before, to compare with. */
export interface Runs {
  now: readonly Run[];
  past: readonly Run[];
}

/** A figure of the evidence, to three places. */
export function rounded(value: number): number {
  return Number(value.toFixed(3));
}

/** How grave it is by the share that is affected. */
export function severityOf(affected: number, of: number): Insight["severity"] {
  const share = affected / Math.max(1, of);
  return share >= 0.5 ? "error" : share >= 0.2 ? "warning" : "info";
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;

interface Rise {
  runs: number;
  failure_rate: number;
  past_runs: number;
  past_failure_rate: number;
  z: number;
}

/** Whether failures have risen beyond chance (two-proportion z-test), with the numbers. */
function riseOf({ now, past }: Runs): Rise | null {
  const [runs, before] = [now.filter(isJudged), past.filter(isJudged)];
  if (runs.length < FEWEST_RUNS || before.length < FEWEST_RUNS) return null;
  const failed = failuresOf(runs).length;
  const failedBefore = failuresOf(before).length;
  const [failure_rate, past_failure_rate] = [failed / runs.length, failedBefore / before.length];
  const pooled = (failed + failedBefore) / (runs.length + before.length);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / runs.length + 1 / before.length));
  const rise = failure_rate - past_failure_rate;
  const z = error === 0 ? 0 : rise / error;
  if (rise < LEAST_RISE || z < LEAST_Z) return null;
  return {
    runs: runs.length,
    failure_rate: rounded(failure_rate),
    past_runs: before.length,
    past_failure_rate: rounded(past_failure_rate),
    z: rounded(z),
  };
}

function risen(subject: Insight["subject"], rise: Rise): Insight {
  const excess = rise.runs * (rise.failure_rate - rise.past_failure_rate);
  return {
    rule: "failure_rate_risen",
    severity: severityOf(excess, rise.runs),
    subject,
    title: `${subject.id} fails more than before: ${percent(rise.failure_rate)} after ${percent(rise.past_failure_rate)}`,
    evidence: { ...rise },
    score: rounded(excess),
  };
}

function groupsOf<Key>(runs: Runs, key: (run: Run) => Key): Map<Key, Runs> {
  const past = Map.groupBy(runs.past, key);
  return new Map(
    [...Map.groupBy(runs.now, key)].map(([name, now]) => [
      name,
      { now, past: past.get(name) ?? [] },
    ]),
  );
}

/** Whether a type fails more only because of agents that do: without their runs it does not. */
function isSpoilt(of: Runs, spoilers: ReadonlySet<string | null>): boolean {
  const names = new Set(of.now.map(({ agent_id }) => agent_id));
  const spoiling = [...names].filter((name) => spoilers.has(name)).length;
  // Where all of several agents fail, it is the type.
  if (spoiling === 0 || spoiling === names.size) return spoiling === 1;
  const others = (all: readonly Run[]) => all.filter(({ agent_id }) => !spoilers.has(agent_id));
  return riseOf({ now: others(of.now), past: others(of.past) }) === null;
}

/** Agents and task types that fail more than they themselves did before; a type only where no agent spoils it. */
export function failureRatesRisen(runs: Runs): Insight[] {
  const agents = [...groupsOf(runs, ({ agent_id }) => agent_id)].flatMap(([id, of]) => {
    const rise = id === null ? null : riseOf(of);
    return id === null || rise === null ? [] : [risen({ kind: "agent", id }, rise)];
  });
  const spoilers = new Set<string | null>(agents.map(({ subject }) => subject.id));
  const types = [...groupsOf(runs, ({ task_type }) => task_type)].flatMap(([id, of]) => {
    const rise = riseOf(of);
    if (rise === null || isSpoilt(of, spoilers)) return [];
    return [risen({ kind: "task_type", id }, rise)];
  });
  return [...agents, ...types];
}

/** Agents whose median duration is a multiple of what others need for the same type. */
export function slowAgents({ now }: Runs): Insight[] {
  return [...Map.groupBy(now, ({ task_type }) => task_type)].flatMap(([task_type, ofType]) =>
    [...new Set(ofType.flatMap(({ agent_id }) => agent_id ?? []))].flatMap((id): Insight[] => {
      const own = durationsOf(ofType.filter(({ agent_id }) => agent_id === id));
      const peers = durationsOf(ofType.filter(({ agent_id }) => agent_id !== id));
      const [p50_s, peers_p50_s] = [percentile(own, 0.5), percentile(peers, 0.5)];
      if (own.length < FEWEST_RUNS || peers.length < FEWEST_RUNS) return [];
      if (p50_s === null || peers_p50_s === null || p50_s < SLOW_RATIO * peers_p50_s) return [];
      const [runs, peers_runs] = [own.length, peers.length];
      const wasted = runs * (1 - peers_p50_s / Math.max(p50_s, Number.MIN_VALUE));
      if (wasted <= 0) return [];
      return [
        {
          rule: "slow_agent",
          severity: severityOf(wasted, 2 * runs),
          subject: { kind: "agent", id },
          title: `${id} needs ${p50_s} s for ${task_type} where others need ${peers_p50_s} s`,
          evidence: { task_type, runs, p50_s, peers_runs, peers_p50_s },
          score: rounded(wasted * DIAGNOSIS_WEIGHT),
        },
      ];
    }),
  );
}

/** The one cause that most failures have. */
export function dominantCause({ now }: Runs): Insight[] {
  const failures = failuresOf(now).length;
  const top = causesOf(now)[0];
  if (top === undefined || failures < FEWEST_FAILURES) return [];
  const share = top.count / failures;
  if (share < DOMINANT_SHARE) return [];
  return [
    {
      rule: "dominant_failure_cause",
      severity: severityOf(top.count, now.filter(isJudged).length),
      subject: { kind: "failure_cause", id: top.cause },
      title: `${percent(share)} of the failures have the cause ${top.cause}`,
      evidence: { failures, of_this_cause: top.count, share: rounded(share) },
      score: rounded(top.count * DIAGNOSIS_WEIGHT),
    },
  ];
}

/** Task types whose retries hardly ever end well. */
export function uselessRetries({ now }: Runs): Insight[] {
  return [...Map.groupBy(now, ({ task_type }) => task_type)].flatMap(([id, ofType]): Insight[] => {
    const retried = ofType.filter((run) => isJudged(run) && run.attempt > 1);
    const rate = successRateOf(retried);
    if (retried.length < FEWEST_RUNS || rate === null || rate > USELESS_RETRY_RATE) return [];
    const retries = retried.reduce((sum, { attempt }) => sum + attempt - 1, 0);
    return [
      {
        rule: "retries_never_help",
        severity: severityOf(retried.length, ofType.length),
        subject: { kind: "task_type", id },
        title: `Retries of ${id} do not help: ${percent(rate)} of the retried tasks succeed`,
        evidence: {
          retried: retried.length,
          retries,
          succeeded: retried.filter(isSuccess).length,
          success_rate: rounded(rate),
        },
        score: rounded(retries * DIAGNOSIS_WEIGHT),
      },
    ];
  });
}

/** Task types that end in the queue, because nobody who fits is free. */
export function missingCapacity({ now }: Runs): Insight[] {
  return [...Map.groupBy(now, ({ task_type }) => task_type)].flatMap(([id, ofType]): Insight[] => {
    const runs = ofType.filter(isJudged).length;
    const untaken = ofType.filter(
      ({ end_reason, started_at }) => end_reason === "timeout" && started_at === null,
    ).length;
    if (untaken < FEWEST_UNTAKEN || untaken / runs < LEAST_UNTAKEN_SHARE) return [];
    return [
      {
        rule: "capacity_missing",
        severity: severityOf(untaken, runs),
        subject: { kind: "task_type", id },
        title: `${untaken} tasks of type ${id} timed out before anyone started them`,
        evidence: { runs, never_started: untaken, share: rounded(untaken / runs) },
        score: untaken,
      },
    ];
  });
}

/** Task types of which a few cost a multiple of the others. */
export function costOutliers({ now }: Runs): Insight[] {
  return [...Map.groupBy(now, ({ task_type }) => task_type)].flatMap(([id, ofType]): Insight[] => {
    const costs = ofType.flatMap(({ cost_usd }) => (cost_usd > 0 ? cost_usd : []));
    const median_usd = percentile(
      costs.toSorted((a, b) => a - b),
      0.5,
    );
    if (costs.length < FEWEST_RUNS || median_usd === null) return [];
    const outliers = costs.filter((cost) => cost > OUTLIER_RATIO * median_usd);
    if (outliers.length === 0) return [];
    const spent = outliers.reduce((sum, cost) => sum + cost, 0);
    const largest_usd = Math.max(...outliers);
    return [
      {
        rule: "cost_outliers",
        severity: severityOf(outliers.length, costs.length),
        subject: { kind: "task_type", id },
        title: `${outliers.length} tasks of type ${id} cost more than ${OUTLIER_RATIO} times the median`,
        evidence: {
          runs: costs.length,
          outliers: outliers.length,
          median_usd: Number(median_usd.toFixed(6)),
          largest_usd,
          outliers_usd: Number(spent.toFixed(6)),
        },
        score: outliers.length,
      },
    ];
  });
}

/** Questions that have waited for an answer too long. */
export function waitingQuestions(open: readonly Question[], now: number): Insight[] {
  const waits = open.map(({ created_at }) => (now - Date.parse(created_at)) / 1_000);
  const late = waits.filter((seconds) => seconds >= PATIENCE_S).length;
  if (late === 0) return [];
  const oldest_wait_s = Math.floor(Math.max(...waits));
  return [
    {
      rule: "escalations_waiting",
      severity: oldest_wait_s >= 24 * PATIENCE_S ? "error" : "warning",
      subject: { kind: "escalations", id: "open" },
      title: `${late} questions have waited for more than an hour`,
      evidence: { open: open.length, waiting_over_1h: late, oldest_wait_s },
      score: late,
    },
  ];
}
