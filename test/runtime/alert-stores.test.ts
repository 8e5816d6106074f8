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
import { fullScans, planOf, recordingDb } from "./recording-db.ts";

const AT = "2026-11-22T12:00:00.000Z";
const anyone = { task_type: null, agent_id: null };

/** Everything that alerts ask D1 each minute, or when they are looked at. */
const QUERIES: [what: string, ask: (db: D1Database) => Promise<unknown>][] = [
  ["a tenant's state", (db) => readKnown(db, "acme", AT)],
  ["what is untold", (db) => readUntold(db, "acme", 0)],
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

describe("what somebody has still to be told of", () => {
  it("is taken in turns where it is more than one look tells of", async () => {
    const insert = env.DB.prepare(
      `INSERT INTO alert (tenant, alert_id, rule_id, subject, severity, state, title, detail, evidence,
         pending_since, fired_at, told, untold)
       VALUES ('stuck', ?1, ?1, 'all', 'error', 'firing', 'Slow', 'so', '{}', ?2, ?2, '[]', 'fired')`,
    );
    const ids = Array.from({ length: 120 }, (_, index) => `al_${String(index).padStart(3, "0")}`);
    await env.DB.batch(ids.map((id) => insert.bind(id, AT)));

    const turns = await Promise.all([0, 1, 2].map((turn) => readUntold(env.DB, "stuck", turn)));

    const seen = turns.flat().map(({ alert }) => alert.alert_id);
    expect(turns.map(({ length }) => length)).toEqual([50, 50, 20]);
    expect(new Set(seen)).toEqual(new Set(ids));
    expect(await readUntold(env.DB, "stuck-not", 7)).toEqual([]);
  });
});
