import { describe, expect, it } from "vitest";

import { forecastOf, meanSecondsOf, type Known } from "../../src/observe/forecast/capacity.ts";
import {
  backTest,
  expectedOf,
  HOUR_S,
  WEEK_S,
  type Volumes,
} from "../../src/observe/forecast/forecast.ts";
import { capacityAhead } from "../../src/observe/insight/ahead.ts";
import { run, times } from "./runs.ts";

/** A Thursday, 12:00 UTC. */
const NOW = Date.parse("2026-11-26T12:00:00.000Z") / 1_000;
const DAY_S = 86_400;

/** Whether an hour is of the weekly peak: Friday, 9 to 11. */
function isPeak(hour: number): boolean {
  const date = new Date(hour * 1_000);
  return date.getUTCDay() === 5 && [9, 10, 11].includes(date.getUTCHours());
}

/** Numbers in [-1, 1] that are always the same. */
function* noise(): Generator<number, never> {
  let state = 42;
  for (;;) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    yield (state / 2 ** 31) * 2 - 1;
  }
}

/** Weeks with a quiet base of 20 tasks an hour and a peak of 200, each hour a tenth more or less. */
function weeks(count: number): Volumes {
  const byHour = new Map<number, number>();
  const chance = noise();
  const since = NOW - count * WEEK_S;
  for (let hour = since; hour < NOW; hour += HOUR_S) {
    const level = isPeak(hour) ? 200 : 20;
    byHour.set(hour, Math.round(level * (1 + chance.next().value / 10)));
  }
  return { byHour, since };
}

const knownOf = ({ byHour, since }: Volumes, changes: Partial<Known> = {}): Known => ({
  byType: new Map([["research", byHour]]),
  since,
  meanSeconds: new Map([["research", 72]]),
  meanOfAll: 72,
  slots: 2,
  ...changes,
});

describe("the forecast of an hour", () => {
  it("expects a seeded weekly peak within its bounds, and tells the error of a week that is known", () => {
    const volumes = weeks(6);

    const { hours, error } = forecastOf(knownOf(volumes), null, NOW * 1_000);
    const peak = hours.filter(({ at }) => isPeak(Date.parse(at) / 1_000));

    expect(peak.map(({ basis }) => basis)).toEqual(Array(3).fill("hour_of_week"));
    for (const { expected, low, high } of peak) {
      expect(Math.abs((expected ?? 0) - 200)).toBeLessThan(20);
      expect(low).toBeLessThan(200);
      expect(high).toBeGreaterThan(200);
    }
    const quiet = hours.filter((hour) => !peak.includes(hour));
    expect(Math.max(...quiet.map(({ expected }) => expected ?? 0))).toBeLessThan(25);
    expect(error.hours).toBe(168);
    expect(error.wmape).toBeGreaterThan(0);
    expect(error.wmape).toBeLessThan(0.1);
    expect(error.mape).toBeLessThan(0.1);
    expect(error.within_bounds).toBeGreaterThan(0.95);
  });

  it("knows a type since its own first task: a new one is expected, and has its slots", () => {
    const old = weeks(7);
    const days = Array.from({ length: 72 }, (_, index) => NOW - (index + 1) * HOUR_S);
    const known = knownOf(old, {
      byType: new Map([
        ["research", old.byHour],
        ["testing", new Map(days.map((hour) => [hour, 40]))],
        ["general", new Map([[old.since ?? 0, 0]])],
      ]),
    });

    const [fresh] = forecastOf(known, "testing", NOW * 1_000).hours;
    const [unused] = forecastOf(known, "general", NOW * 1_000).hours;
    const [all] = forecastOf(known, null, NOW * 1_000).hours;
    const [without] = forecastOf(knownOf(old), null, NOW * 1_000).hours;

    expect(fresh).toMatchObject({ expected: 40, basis: "hour_of_day", slots_needed: 1 });
    expect(unused).toMatchObject({ expected: null, basis: "none", slots_needed: null });
    expect((all?.slots_needed ?? 0) - (without?.slots_needed ?? 0)).toBeCloseTo(1, 1);
  });

  it("counts the newest week most", () => {
    const hour = NOW + HOUR_S;
    const byHour = new Map([
      [hour - WEEK_S, 30],
      [hour - 2 * WEEK_S, 0],
    ]);

    const { expected } = expectedOf({ byHour, since: hour - 2 * WEEK_S }, hour, NOW);

    expect(expected).toBe(20);
  });

  it("takes the same hour of the days before where there are no two weeks, and nothing where that is not known twice", () => {
    const hour = NOW + HOUR_S;
    const of = (days: number) => {
      const byHour = new Map(
        Array.from({ length: days }, (_, index) => [hour - (index + 1) * DAY_S, 12]),
      );
      return expectedOf({ byHour, since: hour - days * DAY_S }, hour, NOW);
    };

    expect(of(8)).toMatchObject({ expected: 12, basis: "hour_of_day" });
    expect(of(1)).toEqual({ expected: null, low: null, high: null, basis: "none" });
    expect(expectedOf({ byHour: new Map(), since: null }, hour, NOW).basis).toBe("none");
  });

  it("uses nothing of the week that it is tested with", () => {
    const calm = weeks(6);
    const last = NOW - WEEK_S;
    const doubled = new Map(
      [...calm.byHour].map(([hour, count]) => [hour, hour < last ? count : 2 * count]),
    );

    const error = backTest({ ...calm, byHour: doubled }, NOW);

    expect(error.wmape).toBeGreaterThan(0.4);
    expect(error.wmape).toBeLessThan(0.6);
    expect(error.within_bounds).toBeLessThan(0.7);
  });

  it("says nothing of the error while nothing was known before the last week", () => {
    expect(backTest(weeks(1), NOW)).toEqual({
      hours: 0,
      tasks: 0,
      wmape: null,
      mape: null,
      within_bounds: null,
    });
  });
});

describe("the slots that are needed", () => {
  it("are volume by mean seconds of work, four fifths busy, and make hours short", () => {
    const { hours, advice } = forecastOf(knownOf(weeks(6)), "research", NOW * 1_000);
    const short = hours.filter(({ is_short }) => is_short === true);

    // 200 tasks of 72 s are 4 slots at work, so 5 at four fifths.
    for (const { slots_needed } of short)
      expect(Math.abs((slots_needed ?? 0) - 5)).toBeLessThan(0.5);
    expect(short.map(({ at }) => isPeak(Date.parse(at) / 1_000))).toEqual([true, true, true]);
    expect(advice[0]).toContain("2026-11-27T09:00:00.000Z");
  });

  it("are unknown where no task has shown how long it takes, or executors can't be asked", () => {
    const of = (changes: Partial<Known>) =>
      forecastOf(knownOf(weeks(6), changes), null, NOW * 1_000).hours[21];

    expect(of({ meanSeconds: new Map(), meanOfAll: null })).toMatchObject({
      slots_needed: null,
      is_short: null,
    });
    expect(of({ slots: null })?.is_short).toBeNull();
    expect(of({})?.is_short).toBe(true);
  });

  it("rest on the runs of each type that started", () => {
    const runs = [
      ...times(2, { task_type: "testing", duration_s: 10 }),
      ...times(2, { duration_s: 30 }),
      run({ started_at: null, duration_s: 900 }),
    ];

    expect(meanSecondsOf(runs)).toEqual({
      meanSeconds: new Map([
        ["testing", 10],
        ["general", 30],
      ]),
      meanOfAll: 20,
    });
  });
});

describe("capacity_ahead", () => {
  it("is a finding with the hour, the slots and the forecast's error, when the need exceeds what there is", () => {
    const [finding, ...more] = capacityAhead(forecastOf(knownOf(weeks(6)), null, NOW * 1_000));

    expect(more).toEqual([]);
    expect(finding).toMatchObject({
      rule: "capacity_ahead",
      severity: "info",
      subject: { kind: "capacity", id: "slots" },
      evidence: { first_at: "2026-11-27T09:00:00.000Z", hours: 3, slots: 2 },
    });
    // Of 600 tasks 3 in 5 find no slot.
    expect(Math.abs((finding?.score ?? 0) - 360)).toBeLessThan(40);
  });

  it("is none with enough slots, with unknown ones, and on a forecast that was far from the truth", () => {
    const of = (known: Known) => capacityAhead(forecastOf(known, null, NOW * 1_000));
    const wild = weeks(6);
    const byHour = new Map(
      [...wild.byHour].map(([hour, count]) => [hour, hour < NOW - WEEK_S ? 9 * count : count]),
    );

    expect(of(knownOf(weeks(6), { slots: 6 }))).toEqual([]);
    expect(of(knownOf(weeks(6), { slots: null }))).toEqual([]);
    expect(of(knownOf({ ...wild, byHour }))).toEqual([]);
  });
});
