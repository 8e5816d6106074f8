import { describe, expect, it } from "vitest";

import { judgeTenant } from "../../src/observe/alerts/judge.ts";
import { aboutOf, keyOf, memoryOf, standingOf } from "../../src/observe/alerts/standing.ts";
import type { AlertRule } from "../../src/protocol/alerts.ts";
import { FAILING, inMinutes, MINUTE, NOW, World } from "./alert-world.ts";

describe("looks at a tenant's rules", () => {
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
});

describe("an alert that could not be told yet", () => {
  const deaf = async () => {
    const world = new World();
    world.failures = 0.9;
    world.isDeaf = true;
    await world.judge(0, 2);
    world.isDeaf = false;
    return world;
  };
  const silence = {
    silence_id: "si_1",
    rule_id: null,
    max_severity: "critical",
    reason: "we know",
    created_at: inMinutes(2),
    created_by: "key_1",
    ends_at: inMinutes(10),
  } as const;

  it("is told to nobody while a silence lasts that came first, and then to all", async () => {
    const [on, over] = [await deaf(), await deaf()];
    for (const world of [on, over]) world.known.silences.push(silence);
    over.failures = 0;
    await over.judge(3, 9);
    await on.judge(3, 9);
    const before = [...on.told];
    await on.judge(10, 11);

    expect(before).toEqual([]);
    expect(on.told).toEqual(["al_id1 fired"]);
    expect(over.told).toEqual([]);
    expect(over.alerts).toMatchObject([{ state: "resolved", silenced_by: "si_1" }]);
  });

  it("rings nobody where somebody looks after it already", async () => {
    const world = await deaf();
    for (const { alert } of world.known.alerts) alert.acknowledged_at = inMinutes(2);
    await world.judge(3, 9);

    expect(world.told).toEqual([]);
  });
});

describe("where a rule stands", () => {
  it("is where its watch says, while that is about the same", async () => {
    const world = new World();
    world.failures = 0.9;
    await world.judge(0, 2);
    const key = keyOf({ rule_id: FAILING.rule_id, subject: "all" });
    const [kept] = world.known.watches;

    const stored = { from: kept?.text, remembered: memoryOf(kept ?? null) };

    expect(standingOf(world.known, key, aboutOf(FAILING))).toEqual({
      ...stored,
      former: kept?.watch,
      isOver: false,
    });
    expect(standingOf(world.known, key, "something else")).toEqual({
      ...stored,
      former: null,
      isOver: true,
    });
  });
});
