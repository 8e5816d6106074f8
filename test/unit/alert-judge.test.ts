import { describe, expect, it } from "vitest";

import {
  judgeTenant,
  type Changes,
  type JudgePorts,
  type KeptAlert,
  type Known,
} from "../../src/observe/alerts/judge.ts";
import type { AlertTelling, Figures } from "../../src/observe/alerts/ports.ts";
import { defaultRules } from "../../src/observe/alerts/rules/default-rules.ts";
import { silenceFor, systemAlertOf } from "../../src/observe/alerts/telling.ts";
import type { AlertRule, AlertView, Silence } from "../../src/protocol/alerts.ts";
import { systemAlertSchema } from "../../src/protocol/webhook-operations.ts";

const NOW = Date.parse("2026-11-22T12:00:00.000Z");
const MINUTE = 60_000;
const inMinutes = (minutes: number) => new Date(NOW + minutes * MINUTE).toISOString();

const base = defaultRules([]).find(({ rule_id }) => rule_id === "tasks-failing");
if (base === undefined) throw new Error("there is no such default rule");
const FAILING: AlertRule = base;

const SILENCE: Silence = {
  silence_id: "si_1",
  rule_id: null,
  max_severity: "error",
  reason: "we know",
  created_at: inMinutes(-9),
  created_by: "key_1",
  ends_at: inMinutes(10),
};

/** A tenant whose share of failures a test sets, with everything that judging does to it. */
class World {
  failures: number | null = 0;
  readonly known: Known = { rules: [], objectives: [], watches: [], silences: [], alerts: [] };
  readonly writes: Changes[] = [];
  readonly told: string[] = [];
  readonly handed: AlertTelling[] = [];
  readonly lines: string[] = [];
  isDeaf = false;
  #ids = 0;

  readonly #figures: Figures = {
    figure: async (metric) => {
      if (metric !== "task_failure_rate") throw new Error(`${metric} cannot be read`);
      return this.failures === null ? null : { value: this.failures, samples: 50 };
    },
    history: async () => [],
    share: async () => ({ good: 0, total: 0 }),
  };

  readonly ports: JudgePorts = {
    log: (_level, event) => this.lines.push(event),
    newId: () => `id${(this.#ids += 1)}`,
    openFigures: () => this.#figures,
    read: async () => structuredClone(this.known),
    write: async (_tenant, changes) => this.#write(changes),
    untold: async () =>
      structuredClone(this.known.alerts.filter(({ untold }) => untold.length > 0)),
    publish: async ({ alert: { alert_id }, change }) => {
      if (this.isDeaf) return ["wh_deaf"];
      this.told.push(`${alert_id} ${change}`);
      return [];
    },
    tellChannels: async (telling) => {
      this.handed.push(telling);
      return { told: telling.alert.told.includes("pager") ? [] : ["pager"], missed: [] };
    },
    markTold: async (_tenant, alert_id, { change, channels, isDone }) => {
      this.#change(alert_id, ({ alert, untold }) => ({
        alert: { ...alert, told: change === "fired" ? [...channels] : alert.told },
        untold: isDone ? untold.filter((one) => one !== change) : untold,
      }));
    },
  };

  #change(alert_id: string, by: (kept: KeptAlert) => KeptAlert): void {
    this.known.alerts = this.known.alerts.map((kept) =>
      kept.alert.alert_id === alert_id ? by(kept) : kept,
    );
  }

  #write(changes: Changes): void {
    this.writes.push(changes);
    for (const { rule_id, subject, watch } of changes.watches) {
      this.known.watches = this.known.watches.filter((one) => one.rule_id !== rule_id);
      if (watch !== null) this.known.watches.push({ rule_id, subject, watch });
    }
    for (const alert of changes.fired) {
      this.known.alerts.push({ alert, untold: alert.silenced_by === null ? ["fired"] : [] });
    }
    for (const { rule_id, at } of changes.resolved) {
      const found = this.known.alerts.find(
        ({ alert }) => alert.rule_id === rule_id && alert.state === "firing",
      );
      this.#change(found?.alert.alert_id ?? "", ({ alert, untold }) => ({
        alert: { ...alert, state: "resolved", resolved_at: at },
        untold: alert.silenced_by === null ? [...untold, "resolved"] : [],
      }));
    }
    for (const alert_id of changes.unsilenced) {
      this.#change(alert_id, ({ alert }) => ({
        alert: { ...alert, silenced_by: null },
        untold: ["fired"],
      }));
    }
  }

  /** One look a minute. */
  async judge(from: number, to: number): Promise<void> {
    for (let minute = from; minute <= to; minute += 1) {
      await judgeTenant(this.ports, "acme", NOW + minute * MINUTE);
    }
  }

  get alerts(): AlertView[] {
    return this.known.alerts.map(({ alert }) => alert);
  }
}

describe("a tenant's rules", () => {
  it("tell nobody of a spike, and write what they remember of it only when it changes", async () => {
    const world = new World();
    await world.judge(0, 3);
    world.failures = 0.9;
    await world.judge(4, 5);
    world.failures = 0.1;
    await world.judge(6, 20);

    expect(world.alerts).toEqual([]);
    // Pending, and no longer pending.
    expect(world.writes.map(({ watches }) => watches[0]?.watch?.phase ?? null)).toEqual([
      "pending",
      null,
    ]);
  });

  it("make one alert of what goes on, tell of it once, and of its end once", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 60);
    world.failures = 0;
    await world.judge(61, 120);

    expect(world.told).toEqual(["al_id1 fired", "al_id1 resolved"]);
    expect(world.alerts).toMatchObject([
      {
        rule_id: "tasks-failing",
        state: "resolved",
        pending_since: inMinutes(0),
        // Within for_s (120 s) of its beginning.
        fired_at: inMinutes(2),
        resolved_at: inMinutes(66),
        told: ["pager"],
        evidence: { value: 0.9, samples: 50, threshold: 0.3, window_s: 900 },
      },
    ]);
    expect(world.handed.map(({ change }) => change)).toEqual(["fired", "resolved"]);
    expect(world.lines).toContain("alert_fired");
    expect(world.lines).toContain("alert_resolved");
  });

  it("go on where the figures of one of them can't be read", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 2);

    expect(world.alerts).toHaveLength(1);
    expect(world.lines).toContain("rule_not_judged");
  });

  it("tell again what could not be told", async () => {
    const world = new World();
    world.failures = 0.9;
    world.isDeaf = true;
    await world.judge(0, 5);
    world.failures = 0;
    await world.judge(6, 11);
    const before = [...world.told];
    world.isDeaf = false;
    await world.judge(12, 13);

    expect(before).toEqual([]);
    expect(world.lines).toContain("alert_not_told");
    expect(world.told).toEqual(["al_id1 fired", "al_id1 resolved"]);
  });

  it("resolve what fires for a rule that is switched off", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 5);
    world.known.rules.push({ ...FAILING, is_enabled: false, source: "tenant" });
    await world.judge(6, 7);

    expect(world.told).toEqual(["al_id1 fired", "al_id1 resolved"]);
    expect(world.known.watches).toEqual([]);
  });

  it("tell nobody while a silence lasts, not even of the end", async () => {
    const world = new World();
    world.known.silences.push({ ...SILENCE, ends_at: inMinutes(60) });
    world.failures = 0.9;
    await world.judge(0, 5);
    const [alert] = world.alerts;
    world.failures = 0;
    await world.judge(6, 20);

    expect(alert?.silenced_by).toBe("si_1");
    expect(world.told).toEqual([]);
    expect(world.alerts).toMatchObject([{ state: "resolved", silenced_by: "si_1" }]);
  });

  it("tell of what still fires when a silence is over, unless somebody looks after it", async () => {
    const [heard, looked] = [new World(), new World()];
    for (const world of [heard, looked]) {
      world.known.silences.push(SILENCE);
      world.failures = 0.9;
      await world.judge(0, 9);
    }
    for (const kept of looked.known.alerts) kept.alert.acknowledged_at = inMinutes(9);
    await heard.judge(10, 12);
    await looked.judge(10, 12);

    expect(heard.told).toEqual(["al_id1 fired"]);
    expect(looked.told).toEqual([]);
  });
});

describe("a silence", () => {
  const alert = { rule_id: "tasks-failing", severity: "error" } as const;
  it.each<[string, Partial<Silence>, boolean]>([
    ["all rules", {}, true],
    ["this rule", { rule_id: "tasks-failing" }, true],
    ["another rule", { rule_id: "cost-unusual" }, false],
    ["what is less grave", { max_severity: "warning" }, false],
    ["what is graver too", { max_severity: "critical" }, true],
    ["what was before", { ends_at: inMinutes(0) }, false],
  ])("of %s", (_title, changes, isSilent) => {
    const silence = { ...SILENCE, ...changes };

    expect(silenceFor([silence], alert, inMinutes(0))).toBe(isSilent ? silence : null);
  });
});

describe("an alert as a notification", () => {
  it("has an id for its beginning and one for its end, the same each time", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 2);
    const [alert] = world.alerts;
    if (alert === undefined) throw new Error("nothing fires");
    const long = { ...alert, title: "x".repeat(200) };
    const news = [systemAlertOf(alert, "fired"), systemAlertOf(long, "resolved")];

    expect(news.map((one) => systemAlertSchema.parse(one).alert_id)).toEqual([
      "al_id1",
      "al_id1_resolved",
    ]);
    expect(news.map(({ severity }) => severity)).toEqual(["error", "error"]);
    expect(news[1]?.evidence).toMatchObject({ alert_id: "al_id1", state: "resolved" });
  });
});
