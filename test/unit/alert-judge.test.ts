import { describe, expect, it } from "vitest";

import {
  judgeTenant,
  type Changes,
  type JudgePorts,
  type KeptAlert,
  type Known,
  type Move,
  type Written,
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
      if (metric !== "task_failure_rate" && metric !== "quality_mean")
        throw new Error(`${metric} cannot be read`);
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
    publish: async (_tenant, { alert_id }, change) => {
      if (this.isDeaf) throw new Error("an endpoint can't be reached");
      this.told.push(`${alert_id} ${change}`);
    },
    tellChannels: async (telling) => {
      this.handed.push(telling);
      return ["pager"];
    },
    markTold: async (_tenant, alert_id, { change, channels }) => {
      this.#change(alert_id, ({ alert, untold }) => ({
        alert: { ...alert, told: change === "fired" ? [...channels] : alert.told },
        untold: untold.filter((one) => one !== change),
      }));
    },
  };

  #change(alert_id: string, by: (kept: KeptAlert) => KeptAlert): void {
    this.known.alerts = this.known.alerts.map((kept) =>
      kept.alert.alert_id === alert_id ? by(kept) : kept,
    );
  }

  #write(changes: Changes): Written {
    this.writes.push(changes);
    const written: Written = { fired: [], resolved: [] };
    for (const move of changes.moves) this.#move(move, written);
    for (const alert_id of changes.unsilenced) {
      this.#change(alert_id, ({ alert }) => ({
        alert: { ...alert, silenced_by: null },
        untold: ["fired"],
      }));
    }
    return written;
  }

  #move({ rule_id, subject, from, to, resolved_at, fired }: Move, written: Written): void {
    const kept = this.known.watches.find((one) => one.rule_id === rule_id);
    if ((kept?.text ?? null) !== from) return;
    this.known.watches = this.known.watches.filter((one) => one.rule_id !== rule_id);
    if (to !== null) {
      this.known.watches.push({ rule_id, subject, ...to, text: JSON.stringify(to) });
    }
    const found = this.alerts.find((one) => one.rule_id === rule_id && one.state === "firing");
    if (resolved_at !== null && found !== undefined) {
      this.#change(found.alert_id, ({ alert, untold }) => ({
        alert: { ...alert, state: "resolved", resolved_at },
        untold: alert.silenced_by === null ? [...untold, "resolved"] : [],
      }));
      written.resolved.push(found);
    }
    if (fired === null) return;
    this.known.alerts.push({ alert: fired, untold: fired.silenced_by === null ? ["fired"] : [] });
    written.fired.push(fired);
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
    expect(world.writes.map(({ moves }) => moves[0]?.to?.watch.phase ?? null)).toEqual([
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

  it("let one of two looks at once move what they both saw", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 1);
    let [open, read] = [() => {}, () => {}];
    const gate = new Promise<void>((resolve) => (open = resolve));
    const hasRead = new Promise<void>((resolve) => (read = resolve));
    const slow = judgeTenant(
      {
        ...world.ports,
        write: async (tenant, changes) => {
          read();
          await gate;
          return world.ports.write(tenant, changes);
        },
      },
      "acme",
      NOW + 2 * MINUTE,
    );
    await hasRead;
    await world.judge(2, 2);
    open();
    await slow;
    world.failures = 0;
    await world.judge(3, 20);

    expect(world.told).toEqual(["al_id2 fired", "al_id2 resolved"]);
    expect(world.lines.filter((line) => line === "alert_fired")).toHaveLength(1);
    expect(world.known.watches).toEqual([]);
  });

  it("watch an alert that fires unwatched until it is over, and resolve it where its rule is gone", async () => {
    const [well, gone] = [new World(), new World()];
    for (const world of [well, gone]) {
      world.failures = 0.9;
      await world.judge(0, 2);
      world.known.watches = [];
    }
    gone.known.rules.push({ ...FAILING, is_enabled: false });
    await gone.judge(3, 3);
    await well.judge(3, 3);
    well.failures = 0;
    await well.judge(4, 20);

    expect(gone.told).toEqual(["al_id1 fired", "al_id1 resolved"]);
    expect(well.told).toEqual(["al_id1 fired", "al_id1 resolved"]);
    expect(well.known.watches).toEqual([]);
  });

  it("begin anew where a watch fires without an alert", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 2);
    world.known.alerts = [];
    await world.judge(3, 6);

    expect(world.alerts).toMatchObject([{ pending_since: inMinutes(3), fired_at: inMinutes(5) }]);
  });

  it.each<[string, Partial<AlertRule>]>([
    ["another figure", { metric: "quality_mean" }],
    ["the other direction", { comparison: "below", threshold: 1, clear_threshold: 1 }],
    ["another threshold", { threshold: 0.4 }],
    ["another window", { window_s: 600 }],
    ["another severity", { severity: "critical" }],
  ])("resolve what fires, and begin anew, where a rule is given %s", async (_what, change) => {
    const [firing, pending] = [new World(), new World()];
    for (const world of [firing, pending]) world.failures = 0.9;
    await firing.judge(0, 2);
    await pending.judge(0, 1);
    for (const world of [firing, pending]) {
      world.known.rules.push({ ...FAILING, ...change, source: "tenant" });
    }
    await firing.judge(3, 5);
    await pending.judge(2, 4);

    expect(firing.told).toEqual(["al_id1 fired", "al_id1 resolved", "al_id2 fired"]);
    expect(firing.alerts).toMatchObject([
      { resolved_at: inMinutes(3) },
      { pending_since: inMinutes(3), fired_at: inMinutes(5), ...(change.severity && change) },
    ]);
    // Its two minutes begin with the change.
    expect(pending.alerts).toMatchObject([{ pending_since: inMinutes(2), fired_at: inMinutes(4) }]);
  });

  it("go on where a rule is only given another title or more patience", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 2);
    world.known.rules.push({ ...FAILING, title: "Look!", resolve_after_s: 900, source: "tenant" });
    await world.judge(3, 6);

    expect(world.told).toEqual(["al_id1 fired"]);
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
