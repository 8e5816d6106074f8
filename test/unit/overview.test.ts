import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { AMOUNTS } from "../../src/db/rollup-table.ts";
import { watchOverview, type Sources } from "../../src/observe/overview/look.ts";
import { overviewOf, type Found } from "../../src/observe/overview/overview.ts";
import { OverviewWatchers } from "../../src/observe/overview/watchers.ts";
import type { Amounts } from "../../src/observe/rollup/task-series.ts";
import { overviewSchema, type Overview } from "../../src/protocol/overview.ts";

const NOW = Date.parse("2026-11-26T12:00:30.000Z");
const MINUTE = Date.parse("2026-11-26T12:00:00.000Z") / 1_000;

const NONE = Object.fromEntries(AMOUNTS.map((amount) => [amount, 0])) as Amounts;
const amounts = (changes: Partial<Amounts>): Amounts => ({ ...NONE, ...changes });

const FOUND: Found = {
  open: {
    tasks: [
      { status: "pending", count: 3 },
      { status: "running", count: 2 },
    ],
    isComplete: true,
    webhooks: { total: 5, troubled: 1 },
    escalations: 4,
    debts: 1,
  },
  day: amounts({
    created: 15,
    completed: 8,
    failed: 1,
    cancelled: 1,
    escalated: 1,
    duration_2: 8,
    duration_5: 2,
    cost_nano_usd: 1_500_000_000,
    tokens: 700,
    quality_sum: 1_600_000,
    quality_count: 2,
  }),
  hour: { steps: new Map([[MINUTE, amounts({ created: 2, completed: 1 })]]), coarse: [] },
  meter: [
    {
      step: 60,
      bucket: MINUTE - 60,
      tally: {
        "batuta_deliveries_total delivered": [9],
        "batuta_deliveries_total exhausted": [1],
        "batuta_http_requests_total /v1/tasks GET 2xx": [50],
      },
    },
    { step: 3_600, bucket: MINUTE - 43_200, tally: { "batuta_deliveries_total delivered": [10] } },
  ],
  due: { oldest_age_s: 12 },
  agents: {
    agents: [
      { state: "online", slots: 4, slots_in_use: 1, pools: ["default"] },
      { state: "stale", slots: 2, slots_in_use: 1, pools: ["default"] },
      { state: "draining", slots: 1, slots_in_use: 1, pools: ["default"] },
    ],
    isComplete: true,
  },
  alerts: [
    { severity: "warning", firing: 2 },
    { severity: "critical", firing: 1 },
  ],
  objectives: [],
  health: { is_ready: true, dependencies: { database: "ok" } },
};

describe("the overview", () => {
  it("adds up a day, and counts what is open", () => {
    const overview = overviewOf(FOUND, NOW);

    expect(overviewSchema.parse(overview)).toEqual(overview);
    expect(overview.tasks).toEqual({
      active: 5,
      is_complete: true,
      by_status: [
        { status: "pending", count: 3 },
        { status: "running", count: 2 },
      ],
      created: 15,
      ended: 11,
      succeeded: 8,
      completion_rate: 0.8,
      // Eight of ten lie between 5 and 15 s, two between 60 and 120 s.
      duration_p50_s: 11.25,
      duration_p95_s: 105,
      quality: 0.8,
    });
    expect(overview).toMatchObject({
      cost_usd: 1.5,
      tokens: 700,
      deliveries: { delivered: 19, failed: 1, success_rate: 0.95, oldest_due_age_s: 12 },
      agents: { online: 1, draining: 1, stale: 1, slots: 4, slots_in_use: 3, is_complete: true },
      webhooks: { total: 5, troubled: 1 },
      escalations_open: 4,
      cleanup_debts_open: 1,
      alerts: [{ severity: "critical" }, { severity: "warning" }],
      incomplete: [],
    });
  });

  it("shows the last hour by minute, the present one last", () => {
    const { series } = overviewOf(FOUND, NOW);
    const lastOf = (metric: string, label = "") =>
      series
        .find(
          (one) =>
            one.metric === metric && (label === "" || Object.values(one.labels).includes(label)),
        )
        ?.points.slice(-2);

    expect(lastOf("tasks_created")).toEqual([
      [MINUTE - 60, 0],
      [MINUTE, 2],
    ]);
    expect(lastOf("tasks_ended", "completed")?.[1]).toEqual([MINUTE, 1]);
    expect(lastOf("deliveries", "delivered")?.[0]).toEqual([MINUTE - 60, 9]);
    expect(series.every(({ points }) => points.length === 60)).toBe(true);
  });

  it("names the members that a silent source leaves without meaning, and keeps its shape without any", () => {
    const silent: Found = {
      open: null,
      day: null,
      hour: null,
      meter: null,
      due: null,
      agents: null,
      alerts: null,
      objectives: null,
      health: null,
    };

    const nothing = overviewOf(silent, NOW);

    expect(overviewSchema.parse(nothing)).toEqual(nothing);
    expect(nothing.incomplete).toEqual(
      Object.keys(overviewSchema.shape)
        .filter((name) => name !== "at" && name !== "incomplete")
        .toSorted(),
    );
    expect(overviewOf({ ...FOUND, meter: null }, NOW).incomplete).toEqual(["deliveries", "series"]);
  });
});

describe("looking again and again", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const sourcesOf = (changes: Partial<Sources> = {}) => {
    const asked: string[] = [];
    const source =
      <Name extends keyof Found>(name: Name, value: NonNullable<Found[Name]>) =>
      async () => {
        asked.push(name);
        return value;
      };
    const { open, day, hour, meter, due, agents, alerts, objectives, health } = FOUND;
    if (!open || !day || !hour || !meter || !due || !agents || !alerts || !objectives || !health) {
      throw new Error("a source is missing");
    }
    const sources: Sources = {
      open: source("open", open),
      day: source("day", day),
      hour: source("hour", hour),
      meter: source("meter", meter),
      due: source("due", due),
      agents: source("agents", agents),
      alerts: source("alerts", alerts),
      objectives: source("objectives", objectives),
      health: source("health", health),
      ...changes,
    };
    return { asked, sources };
  };

  it("does not fail with a part that fails or takes longer than half a second", async () => {
    const lines: string[] = [];
    const { sources } = sourcesOf({
      agents: () => new Promise(() => {}),
      health: () => Promise.reject(new Error("down")),
    });
    const look = watchOverview(
      { now: () => NOW, log: (_level, event) => void lines.push(event), sources },
      "acme",
    );

    const looking = look();
    await vi.advanceTimersByTimeAsync(500);
    const overview = await looking;

    expect(overview.incomplete).toEqual(["agents", "health"]);
    expect(overview.tasks.created).toBe(15);
    expect(lines.toSorted()).toEqual(["overview_part_failed", "overview_part_slow"]);
  });

  it("asks what is dear every ten seconds only", async () => {
    let now = NOW;
    const { asked, sources } = sourcesOf();
    const look = watchOverview({ now: () => now, log: () => {}, sources }, "acme");

    await look();
    asked.splice(0);
    now += 2_000;
    const second = await look();
    const quick = asked.splice(0).toSorted();
    now += 8_000;
    await look();

    expect(quick).toEqual(["hour", "open"]);
    expect(second.incomplete).toEqual([]);
    expect(asked).toHaveLength(9);
  });
});

describe("many who look", () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW }));
  afterEach(() => void vi.useRealTimers());

  const OVERVIEW = overviewOf(FOUND, NOW);
  const isNever = (): Promise<Overview> => new Promise(() => {});

  /** What answers each look of a tenant in turn, the last one all that follow. */
  const watchersOf = (...answers: (() => Promise<Overview>)[]) => {
    const looks: string[] = [];
    const watchers = new OverviewWatchers(Date.now, (tenant) => () => {
      const answer = answers[Math.min(looks.length, answers.length - 1)];
      looks.push(tenant);
      return answer?.() ?? Promise.resolve({ ...OVERVIEW });
    });
    const join = (tenant = "acme") => {
      const watch = watchers.join(tenant);
      if (watch === null) throw new Error("too many");
      return watch;
    };
    return { looks, watchers, join };
  };

  it("ask as often as one, each tenant by itself", async () => {
    const { looks, join } = watchersOf();
    const watches = Array.from({ length: 100 }, () => join());

    const seen = await Promise.all(watches.map(({ look }) => look()));
    await join("other").look();
    vi.advanceTimersByTime(999);
    await watches[7]?.look();
    expect(new Set(seen).size).toBe(1);
    expect(looks).toEqual(["acme", "other"]);

    vi.advanceTimersByTime(1);
    await Promise.all(watches.map(({ look }) => look()));
    expect(looks).toEqual(["acme", "other", "acme"]);
  });

  it("have a bound for each tenant, and room again when one leaves or is gone without a word", () => {
    const { watchers, join } = watchersOf();
    const [first] = Array.from({ length: 100 }, () => join());

    expect(watchers.join("acme")).toBeNull();
    expect(watchers.join("other")).not.toBeNull();
    first?.leave();
    expect(watchers.join("acme")).not.toBeNull();
    expect(watchers.join("acme")).toBeNull();
    vi.advanceTimersByTime(10_001);
    expect(watchers.join("acme")).not.toBeNull();
  });

  it("do not wait long for one whose request has ended, and one of them takes its place", async () => {
    // What was under way when a request ends never comes.
    const { looks, join } = watchersOf(isNever, async () => OVERVIEW);
    void join().look();

    const looking = Promise.all([join().look(), join().look()]);
    await vi.advanceTimersByTimeAsync(600);

    expect(await looking).toEqual([OVERVIEW, OVERVIEW]);
    expect(looks).toHaveLength(2);
  });
});
