import type { Page } from "playwright-core";
import type { z } from "zod";

import { overviewSchema } from "../../src/protocol/overview.ts";

/* An overview that a day of a real system, or an outage, would come to, by the contract. */

const at = (secondsAgo: number): string => new Date(Date.now() - secondsAgo * 1_000).toISOString();

/** The figures of the last hour by minute. */
function series(
  metric: string,
  labels: Record<string, string>,
  valueOf: (minute: number) => number,
) {
  const now = Math.floor(Date.now() / 60_000) * 60;
  return {
    metric,
    stat: "sum",
    labels,
    points: Array.from({ length: 60 }, (_, minute) => [now - (59 - minute) * 60, valueOf(minute)]),
  };
}

/** An overview of a busy day, by the contract, of which some members could not be told. */
function busyDay(incomplete: readonly string[]): z.infer<typeof overviewSchema> {
  return overviewSchema.parse({
    at: at(0),
    tasks: {
      active: 37,
      is_complete: true,
      by_status: [
        { status: "running", count: 22 },
        { status: "pending", count: 13 },
        { status: "escalated", count: 2 },
      ],
      created: 18_342,
      ended: 18_290,
      succeeded: 17_911,
      completion_rate: 0.9821,
      duration_p50_s: 3.4,
      duration_p95_s: 48.2,
      quality: 0.91,
    },
    cost_usd: 42.18,
    tokens: 8_123_456,
    deliveries: {
      delivered: 91_233,
      failed: 311,
      success_rate: 0.9966,
      p95_s: 0.42,
      oldest_due_age_s: 12,
    },
    agents: {
      online: 14,
      draining: 1,
      stale: 2,
      slots: 96,
      slots_in_use: 41,
      is_complete: true,
    },
    webhooks: { total: 23, troubled: 2 },
    escalations_open: 2,
    cleanup_debts_open: 0,
    alerts: [{ severity: "critical", firing: 1 }],
    objectives: [
      {
        schema_version: "1.0",
        slo_id: "tasks",
        title: "Tasks succeed",
        indicator: "task_success",
        target: 0.99,
        window_days: 28,
        source: "default",
        total: 400_000,
        good: 397_000,
        attained: 0.9925,
        budget_total: 4_000,
        budget_left: 1_000,
        burn_rate_1h: 1.8,
        burn_rate_6h: 0.9,
      },
    ],
    health: { is_ready: true, dependencies: { d1: "ok", objects: "ok" } },
    series: [
      series("tasks_created", {}, (minute) => 12 + (minute % 7)),
      series("tasks_ended", { status: "completed" }, (minute) => 11 + (minute % 5)),
      series("tasks_ended", { status: "failed" }, (minute) => (minute % 9 === 0 ? 2 : 0)),
      series("cost_usd", {}, (minute) => 0.02 + (minute % 4) / 100),
      series("deliveries", { outcome: "delivered" }, (minute) => 60 + (minute % 11)),
    ],
    incomplete,
  });
}

/**
 * Plays the overview and its stream, which tells it once at each connection.
 *
 * @param incomplete members that could not be told
 */
export async function playOverview(page: Page, incomplete: readonly string[] = []): Promise<void> {
  await page.route(
    (url) => url.pathname === "/v1/overview",
    (route) => route.fulfill({ json: busyDay(incomplete) }),
  );
  await page.route(
    (url) => url.pathname === "/v1/overview/stream",
    (route) =>
      route.fulfill({
        contentType: "text/event-stream",
        body: `event: overview\ndata: ${JSON.stringify(busyDay(incomplete))}\n\n`,
      }),
  );
}
