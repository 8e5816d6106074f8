import type { Insight } from "../../protocol/observation.ts";
import { DIAGNOSIS_WEIGHT, rounded, type Runs } from "../findings.ts";
import type { Run } from "../run.ts";

/** Tasks that cost something, below which shares are an anecdote. */
const FEWEST_RUNS = 10;

/** The share of the cost that is most of it. */
const MOST = 0.5;

/** It costs so many times its share of the tasks, or a task of it so many times what it did before. */
const DEAR = 1.25;
const RISEN = 1.5;

/** Without its dearest task: what a single one costs is another finding (cost_outliers). */
function withoutDearest(runs: readonly Run[]): Run[] {
  const [, ...others] = runs.toSorted((a, b) => b.cost_usd - a.cost_usd);
  return others;
}

const costOf = (runs: readonly Run[]): number => runs.reduce((sum, run) => sum + run.cost_usd, 0);

/** Dollars to the millionth. */
const dollars = (value: number): number => Number(value.toFixed(6));

interface Eaters {
  kind: "agent" | "task_type";
  key: (run: Run) => string | null;
  runs: Runs;
  /** How many windows long the time before is; null where not all tasks are there, so that sums say nothing. */
  pastWindows: number | null;
}

/** What was spent before in as long a time, and how the cost has changed. */
interface Trend {
  before_usd: number | null;
  trend: number | null;
  /** In place of the figure where there is none. */
  why: string;
}

function trendOf(cost: number, past: readonly Run[], pastWindows: number | null): Trend {
  const none = { before_usd: null, trend: null };
  if (pastWindows === null) return { ...none, why: "unknown: not all tasks were looked at" };
  const before_usd = costOf(past) / pastWindows;
  const trend = before_usd === 0 ? null : cost / before_usd;
  return { before_usd, trend, why: "nothing was spent before" };
}

function eatersOf({ kind, key, runs, pastWindows }: Eaters): Insight[] {
  const spending = runs.now.filter(({ cost_usd }) => cost_usd > 0);
  const total = costOf(spending);
  const groups = Map.groupBy(spending, key);
  // Where there is one alone, it has all, and that says nothing.
  if (spending.length < FEWEST_RUNS || groups.size < 2) return [];
  return [...groups].flatMap(([id, own]): Insight[] => {
    const cost = costOf(own);
    const [share, share_of_tasks] = [cost / total, own.length / spending.length];
    const steady = costOf(withoutDearest(own));
    const steadyShare = steady / (total - cost + steady);
    if (id === null || steadyShare < MOST) return [];
    const past = runs.past.filter((run) => key(run) === id && run.cost_usd > 0);
    const { before_usd, trend, why } = trendOf(cost, past, pastWindows);
    const dearer = past.length === 0 ? 1 : cost / own.length / (costOf(past) / past.length);
    if (steadyShare < DEAR * share_of_tasks && dearer < RISEN) return [];
    const excess = Math.max(share - share_of_tasks, 0) + Math.max(1 - 1 / dearer, 0);
    return [
      {
        rule: "budget_eaters",
        // Of a part of the tasks it is what each costs that says whether it has risen.
        severity: (pastWindows === null ? dearer : (trend ?? 0)) >= RISEN ? "warning" : "info",
        subject: { kind, id },
        title: `${id} has ${Math.round(share * 100)} % of the cost with ${Math.round(share_of_tasks * 100)} % of the tasks`,
        evidence: {
          cost_usd: dollars(cost),
          total_usd: dollars(total),
          share: rounded(share),
          tasks: own.length,
          share_of_tasks: rounded(share_of_tasks),
          usd_per_task: dollars(cost / own.length),
          usd_per_task_by_before: rounded(dearer),
          ...(before_usd !== null && { before_usd: dollars(before_usd) }),
          trend: trend === null ? why : rounded(trend),
        },
        score: rounded(own.length * Math.min(excess, 1) * DIAGNOSIS_WEIGHT),
      },
    ];
  });
}

/**
 * Agents and task types that most of the cost goes to, and more than is due to their share of the tasks, or to what a task
 * of theirs cost before. The trend is the cost by that of as long a time before.
 *
 * @param pastWindows how many times as long the time before is; null where not all tasks of either are there: then
 *   there is no trend
 */
export function budgetEaters(runs: Runs, pastWindows: number | null): Insight[] {
  return [
    ...eatersOf({ kind: "agent", key: ({ agent_id }) => agent_id, runs, pastWindows }),
    ...eatersOf({ kind: "task_type", key: ({ task_type }) => task_type, runs, pastWindows }),
  ];
}
