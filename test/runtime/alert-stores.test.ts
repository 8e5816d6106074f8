import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { createAlerts } from "../../src/observe/alerts/desk/alerts.ts";
import { openFigures } from "../../src/observe/alerts/figures/figures-store.ts";
import { countOpen } from "../../src/observe/alerts/figures/open-store.ts";
import { readHours, readTaskSums } from "../../src/observe/alerts/figures/task-sums-store.ts";
import {
  acknowledgeAlert,
  countFiring,
  forgetAlerts,
  listAlerts,
  readAlert,
} from "../../src/observe/alerts/store/alert-store.ts";
import {
  readJudgedTenants,
  readKnown,
  readUntold,
} from "../../src/observe/alerts/store/judge-store.ts";
import { alarmed } from "./alarmed.ts";
import { fullScans, planOf, recordingDb, rollUpSearches } from "./recording-db.ts";

const AT = "2026-11-22T12:00:00.000Z";
const anyone = { task_type: null, agent_id: null };

/** Everything that alerts ask D1 each minute, or when they are looked at. */
const QUERIES: [what: string, ask: (db: D1Database) => Promise<unknown>][] = [
  ["a tenant's state", (db) => readKnown(db, "acme", AT)],
  ["what is untold", (db) => readUntold(db, "acme")],
  ["the tenants", (db) => readJudgedTenants(db, "", 5)],
  ["the list", (db) => listAlerts(db, "acme", { limit: 5, state: "firing" })],
  ["one alert", (db) => readAlert(db, "acme", "al_none")],
  ["how many fire", (db) => countFiring(db, "acme")],
  ["what is forgotten", (db) => forgetAlerts(db, AT)],
  ["sums", (db) => readTaskSums(db, "acme", { ...anyone, from: 0, to: 900 })],
  ["hours", (db) => readHours(db, "acme", [0, 3_600], anyone)],
  ["open questions", (db) => countOpen(db, "acme", "escalations_open")],
  ["open debts", (db) => countOpen(db, "acme", "cleanup_debts_open")],
];

describe("what alerts ask of D1", () => {
  it.each(QUERIES)("finds %s without reading a whole table", async (_what, ask) => {
    const recording = recordingDb(env.DB);
    await ask(recording.db);

    expect(recording.sent.length).toBeGreaterThan(0);
    for (const sent of recording.sent) {
      expect(fullScans(await planOf(env.DB, sent))).toEqual([]);
    }
  });

  it.each([
    ["of all executors", null],
    ["of one executor", "agent-1"],
  ])("searches the sums %s by time, in each part of its statements", async (_what, agent_id) => {
    const recording = recordingDb(env.DB);
    const scope = { task_type: null, agent_id };
    await readTaskSums(recording.db, "acme", { ...scope, from: 0, to: 28 * 86_400 });
    await readHours(recording.db, "acme", [0, 3_600], scope);

    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));
    const searches = plans.flatMap(rollUpSearches);

    // The last one finds the first hour of all: SQLite takes one row for a minimum.
    expect(searches).toHaveLength(5);
    expect(searches.filter((line) => !/bucket[=>]/.test(line))).toHaveLength(1);
  });

  it("asks once for what several rules want to know", async () => {
    const recording = recordingDb(env.DB);
    const figures = openFigures(recording.db, async () => 3)("acme", Date.parse(AT));
    const scope = { ...anyone, window_s: 900 };

    await Promise.all([
      figures.figure("task_failure_rate", scope),
      figures.figure("cost_usd", scope),
      figures.share({ indicator: "task_success" }, 900),
    ]);

    expect(recording.trips()).toBe(1);
    expect(await figures.figure("slots_free", scope)).toEqual({ value: 3, samples: null });
  });
});

describe("the figures of a tenant", () => {
  it("are not read series by series for the weeks of objectives", async () => {
    const recording = recordingDb(env.DB);
    const figures = openFigures(recording.db, async () => 3)("acme", Date.parse(AT));
    const weeks = 28 * 86_400;

    await Promise.all([
      figures.share({ indicator: "http_success" }, weeks),
      figures.share({ indicator: "delivery_success" }, weeks),
    ]);

    // Once for both, and added up by D1.
    expect(recording.sent.map(({ sql }) => /total\(|"tally"/.exec(sql)?.[0])).toEqual(["total("]);
  });
});

describe("the desk of alerts", () => {
  it("notes the newest who looks after an alert", async () => {
    const { alert_id } = await alarmed("desk");
    const desk = createAlerts({
      now: () => Date.parse(AT),
      list: (tenant, query) => listAlerts(env.DB, tenant, query),
      get: (tenant, id) => readAlert(env.DB, tenant, id),
      acknowledge: (of, by) => acknowledgeAlert(env.DB, of, by),
    });
    const by = { tenant: "desk", scopes: [], isBootstrap: false };
    await desk.acknowledge({ ...by, key_id: "key_1" }, alert_id, "mine");

    const again = await desk.acknowledge({ ...by, key_id: "key_2" }, alert_id, null);

    expect(again).toMatchObject({
      ok: true,
      value: { acknowledged_by: "key_2", note: null, acknowledged_at: AT },
    });
  });
});
