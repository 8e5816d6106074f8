import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { foldRollup } from "../../src/history/rollup-store.ts";
import { readTaskSums } from "../../src/observe/alerts/figures/task-sums-store.ts";
import { readVolumes } from "../../src/observe/forecast/volume-store.ts";
import { readLevelChanges } from "../../src/observe/insight/flapping-store.ts";
import { readOpenCounts, readTroubled } from "../../src/observe/overview/counts-store.ts";
import {
  readDayFigures,
  readDeliveryFigures,
  readMinuteFigures,
} from "../../src/observe/overview/figures-store.ts";
import { readRollup } from "../../src/observe/rollup/rollup-store.ts";
import { at } from "../task-news.ts";
import { fullScans, planOf, recordingDb, rollUpSearches, rowsReadBy } from "./recording-db.ts";

const DAY = { from: 0, to: 86_400 };

/** Everything that the overview, the forecast and the findings beside tasks ask D1, and what they must be found by. */
const QUERIES: [what: string, ask: (db: D1Database) => Promise<unknown>, by: RegExp][] = [
  [
    "count what is open",
    (db) => readOpenCounts(db, "acme"),
    /COVERING INDEX task_by_status .*status=/,
  ],
  ["count what is open by state", (db) => readOpenCounts(db, "acme"), /escalation_by_state/],
  ["count open debts at one glance", (db) => readOpenCounts(db, "acme"), /cleanup_debt_open/],
  [
    "find endpoints in trouble",
    (db) => readTroubled(db, "acme"),
    /SEARCH webhook USING PRIMARY KEY/,
  ],
  [
    "read a day's figures",
    (db) => readDayFigures(db, "acme", DAY),
    /PRIMARY KEY \(tenant=\? AND step=\? AND bucket>/,
  ],
  [
    "read an hour's figures",
    (db) => readMinuteFigures(db, "acme", DAY),
    /PRIMARY KEY \(tenant=\? AND step=\? AND bucket>/,
  ],
  [
    "read the figures of deliveries",
    (db) => readDeliveryFigures(db, "acme", DAY),
    /SEARCH meter_minute USING .*step=\? AND bucket>/,
  ],
  [
    "read the volumes of weeks",
    (db) => readVolumes(db, "acme", Date.parse(at(1))),
    /PRIMARY KEY \(tenant=\? AND step=\? AND bucket>/,
  ],
  [
    "read how levels changed",
    (db) => readLevelChanges(db, "acme", { since: at(0), until: at(9) }),
    /audit_by_action .*action=\? AND at>/,
  ],
];

describe("the plan of a query of the overview", () => {
  it.each(QUERIES)("uses an index and scans no table to %s", async (_what, ask, by) => {
    const recording = recordingDb(env.DB);
    await ask(recording.db);

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));

    expect(plans.length).toBeGreaterThan(0);
    expect(plans.flatMap(fullScans)).toEqual([]);
    expect(plans.flat().some((line) => by.test(line))).toBe(true);
    expect(plans.flatMap(rollUpSearches).filter((line) => !by.test(line))).toEqual([]);
  });
});

describe("what is read of a tenant's day", () => {
  const HOURS = 24;
  const NOW_S = Date.parse("2026-11-20T00:00:00.000Z") / 1_000;

  /** A day of tasks of so many executors, in minutes, as history writes them, folded to hours. */
  async function live(tenant: string, executors: number): Promise<void> {
    await env.DB.prepare(
      `INSERT INTO task_rollup (tenant, step, bucket, task_type, agent_id, created, completed)
       SELECT ?1, 60, ?2 + hour.value * 3600, 'general', who.value, who.value = '', who.value <> ''
       FROM json_each(?3) AS hour, json_each(?4) AS who`,
    )
      .bind(
        tenant,
        NOW_S - HOURS * 3_600,
        JSON.stringify(Array.from({ length: HOURS }, (_, index) => index)),
        JSON.stringify(["", ...Array.from({ length: executors }, (_, index) => `agent-${index}`)]),
      )
      .run();
    await foldRollup(env.DB, tenant, { from: 60, to: 3_600, before: NOW_S });
  }

  const range = { from: NOW_S - HOURS * 3_600, to: NOW_S, task_type: null };
  const READINGS: [what: string, ask: (db: D1Database, tenant: string) => Promise<unknown>][] = [
    ["the overview's day", (db, tenant) => readDayFigures(db, tenant, range)],
    [
      "a chart by hour",
      (db, tenant) => readRollup(db, tenant, { ...range, agent_id: null, step_s: 3_600 }),
    ],
    [
      "a chart of one executor",
      (db, tenant) => readRollup(db, tenant, { ...range, agent_id: "agent-1", step_s: 3_600 }),
    ],
    ["an objective's sums", (db, tenant) => readTaskSums(db, tenant, { ...range, agent_id: null })],
    ["the hours of a forecast", (db, tenant) => readVolumes(db, tenant, NOW_S * 1_000)],
  ];

  it.each(READINGS)("for %s does not grow with its executors", async (what, ask) => {
    const rowsOf = async (executors: number) => {
      const tenant = `${what} ${executors}`;
      await live(tenant, executors);
      const recording = recordingDb(env.DB);
      await ask(recording.db, tenant);
      const rows = await Promise.all(recording.sent.map((sent) => rowsReadBy(env.DB, sent)));
      return rows.reduce((sum, count) => sum + count, 0);
    };

    expect(await rowsOf(40)).toBe(await rowsOf(2));
  });
});
