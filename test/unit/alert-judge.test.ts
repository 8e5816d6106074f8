import { describe, expect, it } from "vitest";

import { silenceFor, systemAlertOf } from "../../src/observe/alerts/telling.ts";
import type { Silence } from "../../src/protocol/alerts.ts";
import { systemAlertSchema } from "../../src/protocol/webhook-operations.ts";
import { FAILING, inMinutes, World } from "./alert-world.ts";

const SILENCE: Silence = {
  silence_id: "si_1",
  rule_id: null,
  max_severity: "error",
  reason: "we know",
  created_at: inMinutes(-9),
  created_by: "key_1",
  ends_at: inMinutes(10),
};

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
