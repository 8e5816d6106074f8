import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { countedDb } from "../../src/db/counted.ts";
import { createAlerts } from "../../src/observe/alerts/desk/alerts.ts";
import { openFigures, type FigureParts } from "../../src/observe/alerts/figures/figures-store.ts";
import { countOpen } from "../../src/observe/alerts/figures/open-store.ts";
import { readHours, readTaskSums } from "../../src/observe/alerts/figures/task-sums-store.ts";
import { judgeTenant } from "../../src/observe/alerts/judge.ts";
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
  writeChanges,
} from "../../src/observe/alerts/store/judge-store.ts";
import { cursorOf } from "../../src/protocol/keyset.ts";
import { alarmed } from "./alarmed.ts";
import { fullScans, planOf, recordingDb, rollUpSearches } from "./recording-db.ts";

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

const partsOf = (db: D1Database): FigureParts => ({
  technical: (query) => query(db),
  history: (_tenant, query) => query(db),
});

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

  it("asks for what a quiet tenant's rules see in few statements, so that a run is enough for many", async () => {
    const hour = Math.floor(Date.parse(AT) / 3_600_000) * 3_600;
    await env.DB.batch(
      [60, 3_600].map((step) =>
        env.DB.prepare(
          `INSERT INTO task_rollup (tenant, step, bucket, task_type, agent_id, completed, duration_ms, duration_0)
           VALUES ('quiet', ?1, ?2, 'research', 'agent-1', 20, 1000, 20)`,
        ).bind(step, step === 60 ? hour - 60 : hour - 7 * 86_400),
      ),
    );
    const { db, statements } = countedDb(env.DB);
    const lines: string[] = [];
    const untold = async () => [];
    const nothing = async () => {
      throw new Error("nothing is to be written or told");
    };
    await judgeTenant(
      {
        log: (_level, event) => lines.push(event),
        newId: () => "none",
        openFigures: openFigures(partsOf(db), async () => null),
        read: (tenant, at) => readKnown(db, tenant, at),
        write: nothing,
        untold,
        publish: nothing,
        tellChannels: nothing,
        markTold: nothing,
      },
      "quiet",
      Date.parse(AT),
    );

    expect(lines).toEqual([]);
    // What is known, five windows of tasks, technical minutes, and the past for both anomalies.
    expect(statements()).toBe(6 + 5 + 3 + 2);
  });

  it("asks once for what several rules want to know", async () => {
    const recording = recordingDb(env.DB);
    const figures = openFigures(partsOf(recording.db), async () => 3)("acme", Date.parse(AT));
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
    const figures = openFigures(partsOf(recording.db), async () => 3)("acme", Date.parse(AT));
    const weeks = 28 * 86_400;

    await Promise.all([
      figures.share({ indicator: "http_success" }, weeks),
      figures.share({ indicator: "delivery_success" }, weeks),
    ]);

    // Once for both, and added up by D1.
    expect(recording.sent.map(({ sql }) => /total\(|"tally"/.exec(sql)?.[0])).toEqual(["total("]);
  });
});

/** What reads of alerts by which index: few rows, however many are kept. */
const SEEKS: [what: string, index: string, ask: (db: D1Database) => Promise<unknown>][] = [
  ["a tenant's state", "alert_firing", (db) => readKnown(db, "acme", AT)],
  ["a tenant's state", "alert_untold", (db) => readKnown(db, "acme", AT)],
  ["what is untold", "alert_untold", (db) => readUntold(db, "acme", 0)],
  ["how many fire", "alert_firing", (db) => countFiring(db, "acme")],
  ["what fires", "alert_firing", (db) => listAlerts(db, "acme", { limit: 5, state: "firing" })],
  [
    "its next page",
    "alert_firing",
    (db) => {
      const cursor = cursorOf({ at: AT, id: "al_none" });
      return listAlerts(db, "acme", { limit: 5, state: "firing", cursor });
    },
  ],
];

describe("alerts that are over", () => {
  it.each(SEEKS)("are not read where %s is asked for: by %s", async (_what, index, ask) => {
    const recording = recordingDb(env.DB);
    await ask(recording.db);
    const plans = await Promise.all(recording.sent.map((sent) => planOf(env.DB, sent)));
    const lines = plans.flat().filter((line) => / alert /.test(line));

    expect(lines.some((line) => line.includes(index))).toBe(true);
    // All rows of a tenant, by its key or by time.
    expect(lines.filter((line) => /PRIMARY KEY \(tenant=\?\)|alert_by_time/.test(line))).toEqual(
      [],
    );
  });
});

describe("what a look writes", () => {
  it("is dropped where another look has moved the rule meanwhile", async () => {
    const tenant = "twice";
    const { rule_id, alert_id } = await alarmed(tenant);
    const before = await readKnown(env.DB, tenant, AT);
    const [kept] = before.watches;
    if (kept === undefined) throw new Error("nothing is watched");
    const of = { rule_id, subject: "all", from: kept.text };
    const over = { ...of, to: null, resolved_at: AT, fired: null };
    const well = { ...kept.watch, phase: "firing", well_since: 5 } as const;
    const late = { ...of, to: { about: kept.about, watch: well }, resolved_at: null, fired: null };

    const first = await writeChanges(env.DB, tenant, { moves: [over], unsilenced: [], held: [] });
    const second = await writeChanges(env.DB, tenant, { moves: [late], unsilenced: [], held: [] });
    const third = await writeChanges(env.DB, tenant, { moves: [over], unsilenced: [], held: [] });

    expect(first.resolved).toEqual([{ alert_id, rule_id, subject: "all" }]);
    expect([second, third]).toEqual([
      { fired: [], resolved: [] },
      { fired: [], resolved: [] },
    ]);
    expect(await readKnown(env.DB, tenant, AT)).toMatchObject({ watches: [], alerts: [] });
    expect(await readAlert(env.DB, tenant, alert_id)).toMatchObject({
      state: "resolved",
      resolved_at: AT,
    });
  });

  it("holds back what nobody was told of, with its end", async () => {
    const tenant = "held";
    const { alert_id } = await alarmed(tenant);
    await env.DB.prepare(
      "UPDATE alert SET silenced_by = NULL, untold = 'fired' WHERE tenant = ?1 AND alert_id = ?2",
    )
      .bind(tenant, alert_id)
      .run();
    const [kept] = (await readKnown(env.DB, tenant, AT)).watches;
    if (kept === undefined) throw new Error("nothing is watched");
    const { rule_id, subject, text: from } = kept;
    const over = { rule_id, subject, from, to: null, resolved_at: AT, fired: null };
    const held = [{ alert_id, silenced_by: "si_later" }];

    await writeChanges(env.DB, tenant, { moves: [over], unsilenced: [], held });

    expect(await readAlert(env.DB, tenant, alert_id)).toMatchObject({
      state: "resolved",
      silenced_by: "si_later",
    });
    expect(await readUntold(env.DB, tenant, 0)).toEqual([]);
  });

  it("begins an alert anew in the transaction that ends the old one", async () => {
    const tenant = "anew";
    const { rule_id, alert_id } = await alarmed(tenant);
    const { watches, alerts } = await readKnown(env.DB, tenant, AT);
    const [kept, old] = [watches[0], alerts[0]];
    if (kept === undefined || old === undefined) throw new Error("nothing fires");
    const to = { about: "something else", watch: kept.watch };
    const fired = {
      ...old.alert,
      alert_id: `${alert_id}_2`,
      silenced_by: null,
      evidence: { a: 1 },
    };
    const move = { rule_id, subject: "all", from: kept.text, to, resolved_at: AT, fired };

    const written = await writeChanges(env.DB, tenant, { moves: [move], unsilenced: [], held: [] });

    expect(written).toMatchObject({
      fired: [{ alert_id: fired.alert_id }],
      resolved: [{ alert_id }],
    });
    expect(await readKnown(env.DB, tenant, AT)).toMatchObject({
      watches: [to],
      alerts: [{ alert: fired, untold: ["fired"] }],
    });
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
