import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readVolumes } from "../../src/observe/forecast/volume-store.ts";
import { readLevelChanges } from "../../src/observe/insight/flapping-store.ts";
import { readOpenCounts, readTroubled } from "../../src/observe/overview/counts-store.ts";
import {
  readDayFigures,
  readDeliveryFigures,
  readMinuteFigures,
} from "../../src/observe/overview/figures-store.ts";
import { at } from "../task-news.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";

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
  });
});
