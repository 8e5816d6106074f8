import { DURATION_BOUNDS_S, ENDS, NOTIFICATIONS, type Amount } from "../../db/rollup-table.ts";
import type { Sample } from "../meter/ports.ts";
import { durationCounts, type Amounts } from "./task-series.ts";

/** Totals of one task type. */
interface TypeTotals {
  task_type: string;
  amounts: Amounts;
}

/** What has happened to tasks since the tenant's first one, as /metrics shows it; nothing where there was none. */
export function taskSamples(types: readonly TypeTotals[]): Sample[] {
  if (types.length === 0) return [];
  const sum = (name: Amount): number => types.reduce((all, { amounts }) => all + amounts[name], 0);
  const counts = types.map(({ amounts }) => durationCounts(amounts));
  const durations = (counts[0] ?? []).map((_, index) =>
    counts.reduce((all, of) => all + (of[index] ?? 0), 0),
  );
  return [
    ...types.map(({ task_type, amounts }): Sample => {
      const labels = { task_type };
      return { metric: "batuta_tasks_created_total", labels, value: amounts.created };
    }),
    ...types.flatMap(({ task_type, amounts }) =>
      ENDS.map((status): Sample => {
        const labels = { status, task_type };
        return { metric: "batuta_tasks_total", labels, value: amounts[status] };
      }),
    ),
    {
      metric: "batuta_task_duration_seconds",
      labels: {},
      bounds: DURATION_BOUNDS_S,
      counts: durations,
      sum: sum("duration_ms") / 1_000,
    },
    {
      metric: "batuta_task_quality",
      labels: {},
      bounds: [],
      counts: [sum("quality_count")],
      sum: sum("quality_sum") / 1_000_000,
    },
    { metric: "batuta_task_retries_total", labels: {}, value: sum("retries") },
    { metric: "batuta_escalations_total", labels: {}, value: sum("escalations") },
    ...NOTIFICATIONS.map((type): Sample => {
      const labels = { type };
      return { metric: "batuta_notifications_total", labels, value: sum(type) };
    }),
    { metric: "batuta_cost_usd_total", labels: {}, value: sum("cost_nano_usd") / 1_000_000_000 },
    // No code of an orchestrator can call a model: what tasks used, their executors used.
    { metric: "batuta_tokens_total", labels: { role: "orchestrator" }, value: 0 },
    { metric: "batuta_tokens_total", labels: { role: "executor" }, value: sum("tokens") },
  ];
}
