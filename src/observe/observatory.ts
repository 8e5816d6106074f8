import { instant, type Clock } from "../lib/ports.ts";
import type { Forecast } from "../protocol/forecast.ts";
import type { Insights, Metrics, MetricsQuery } from "../protocol/observation.ts";
import { groupsOf } from "./figures.ts";
import { readLevelChanges } from "./insight/flapping-store.ts";
import { insightsOf, PAST_WINDOWS } from "./insights.ts";
import { MAX_RUNS, readOpenQuestions, readQuestions, readRuns, type Span } from "./run-store.ts";
import type { StateParts } from "./state.ts";

/** Model tokens that orchestrating costs: only src/executor/ may have a model (design.md §2). */
const ORCHESTRATOR_TOKENS = 0;

/** Open questions that a finding counts, at most. */
const MAX_OPEN_QUESTIONS = 1_000;

/** What figures are made from. */
export interface ObservatoryParts {
  /** Makes a read of what is kept of endpoints. @throws while that database is down */
  endpoints: <Value>(query: (db: D1Database) => Promise<Value>) => Promise<Value>;
  /** Makes reads of the database of a tenant's history, and of no other. @throws while that is down */
  history: StateParts["read"];
  now: Clock;
  /** How long history keeps tasks after their end, milliseconds. */
  keptMs: number;
  /** What the next day brings; null when that can't be told now. Never fails. */
  forecast: (tenant: string) => Promise<Forecast | null>;
}

/** What the read side concludes from the tasks of a tenant. */
export interface Observatory {
  metrics(tenant: string, query: MetricsQuery): Promise<Metrics>;
  insights(tenant: string, window_s: number): Promise<Insights>;
}

/** What was looked at. Of a window that is longer than tasks are kept, some may have been removed. */
function sampleOf(
  window: { window_s: number; keptMs: number },
  span: Span,
  found: { runs: unknown[]; isComplete: boolean },
) {
  const { window_s, keptMs } = window;
  const is_complete = found.isComplete && window_s * 1_000 <= keptMs;
  const sampled = { tasks: found.runs.length, limit: MAX_RUNS, is_complete };
  return { window_s, ...span, sampled };
}

/** Figures and findings, made from history when they are asked for. They throw when D1 fails. */
export function createObservatory({
  endpoints,
  history,
  now,
  keptMs,
  forecast,
}: ObservatoryParts): Observatory {
  return {
    async metrics(tenant, { window, by, task_type, agent_id }) {
      const until = now();
      const span = { since: instant(until - window * 1_000), until: instant(until) };
      const [found, questions] = await history(tenant, (tasks) =>
        Promise.all([readRuns(tasks, tenant, span), readQuestions(tasks, tenant, span)]),
      );
      const runs = found.runs.filter(
        (run) =>
          (task_type === undefined || run.task_type === task_type) &&
          (agent_id === undefined || run.agent_id === agent_id),
      );
      const executor = Math.min(
        runs.reduce((sum, { tokens }) => sum + tokens, 0),
        Number.MAX_SAFE_INTEGER,
      );
      return {
        ...sampleOf({ window_s: window, keptMs }, span, found),
        by,
        groups: groupsOf(runs, by, questions),
        tokens: { orchestrator: ORCHESTRATOR_TOKENS, executor },
        series: [],
      };
    },
    async insights(tenant, window_s) {
      const until = now();
      const since = until - window_s * 1_000;
      const compared_since = instant(since - PAST_WINDOWS * window_s * 1_000);
      const span = { since: instant(since), until: instant(until) };
      const [[found, past, open], changes, ahead] = await Promise.all([
        history(tenant, (tasks) =>
          Promise.all([
            readRuns(tasks, tenant, span),
            readRuns(tasks, tenant, { since: compared_since, until: span.since }),
            readOpenQuestions(tasks, tenant, MAX_OPEN_QUESTIONS),
          ]),
        ),
        endpoints((db) => readLevelChanges(db, tenant, span)),
        forecast(tenant),
      ]);
      // What was removed after its time is missing from the past as what is beyond the bound is.
      const isPastKept = (PAST_WINDOWS + 1) * window_s * 1_000 <= keptMs;
      const areAllRuns = found.isComplete && past.isComplete && isPastKept;
      const items = insightsOf(
        { now: found.runs, past: past.runs },
        { open, changes, forecast: ahead, areAllRuns },
        until,
      );
      return { ...sampleOf({ window_s, keptMs }, span, found), compared_since, items };
    },
  };
}
