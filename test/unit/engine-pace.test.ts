import { describe, expect, it } from "vitest";

import { beginAttempt } from "../../src/executor/attempt/attempt.ts";
import { restWhilePaused } from "../../src/executor/attempt/rest.ts";
import { beside } from "../../src/executor/beside.ts";
import { execute } from "../../src/executor/engine.ts";
import { News } from "../../src/executor/news.ts";
import { Pacer } from "../../src/executor/pace.ts";
import type { Pace } from "../../src/executor/pace.ts";
import { ok } from "../../src/lib/result.ts";
import {
  answer,
  ASKED,
  desk,
  fault,
  LEASE,
  MESSAGE,
  taskText,
  withModels,
} from "../executor-desk.ts";

const NO_DEADLINES = { deadline_at: Infinity, budget_ends_at: null };

function pacer(more: Partial<Pace> = {}): Pacer {
  const pace = { timeout: 300, heartbeat_timeout: 60, stall_timeout: 300, ...NO_DEADLINES };
  return new Pacer({ ...pace, ...more }, 1_000_000);
}

describe("the time of an attempt", () => {
  it.each<[string, Partial<Pace>, number]>([
    ["its timeout", {}, 299_000],
    ["its budget of time", { max_duration_s: 60 }, 59_000],
    [
      "what attempts before it have left of that",
      { max_duration_s: 60, budget_ends_at: 1_030_000 },
      29_000,
    ],
    ["the end of the whole life", { deadline_at: 1_020_000 }, 19_000],
    ["the longest run of a consumer", { timeout: 3_600 }, 840_000],
  ])("is bounded by %s", (_what, more, left) => {
    expect(pacer(more).timeLeftMs(1_000_000)).toBe(left);
  });

  it("is longer by what is granted, whichever limit holds", () => {
    for (const more of [{}, { max_duration_s: 300 }, { deadline_at: 1_300_000 }]) {
      const given = pacer(more);
      given.grant(100);
      expect(given.timeLeftMs(1_000_000)).toBe(399_000);
    }
  });

  it("says when the run ends before it, and when it is the contract's budget", () => {
    expect(pacer({ timeout: 900 }).isSliced).toBe(true);
    expect(pacer({ timeout: 900, max_duration_s: 60 }).isSliced).toBe(false);
    expect(pacer({ max_duration_s: 60 }).isBudgeted).toBe(true);
    expect(pacer({ max_duration_s: 60, budget_ends_at: 1_030_000 }).isBudgeted).toBe(true);
    expect(pacer({ max_duration_s: 60, deadline_at: 1_010_000 }).isBudgeted).toBe(false);
    expect(pacer().isBudgeted).toBe(false);
  });

  it("leaves a last word its way, however slowly stopped work ends", async () => {
    let clock = 0;
    const ports = desk(ASKED, { now: () => clock, sleep: async (ms) => void (clock += ms) });
    const to = { tenant: "t", task_id: "task-1", lease: LEASE };
    const attempt = await beginAttempt(taskText(ASKED), to, ports);

    const left = await beside(new Promise(() => undefined), attempt);

    expect(left.ok).toBe(false);
    expect(attempt.session.stop).toBe("out_of_time");
    expect(clock).toBeLessThan(300_000);
  });

  it("bounds a step by the wait for news, less a margin", () => {
    expect(pacer().stepLeftMs(1_000_000, 1_000_000)).toBe(290_000);
    expect(pacer().stepLeftMs(1_100_000, 1_000_000)).toBe(190_000);
    expect(pacer({ stall_timeout: 20 }).stepLeftMs(1_000_000, 1_000_000)).toBe(15_000);
  });
});

describe("an attempt with models", () => {
  it("gives no call longer than the wait for news, and tells some before it asks again", async () => {
    const ports = withModels((_request, calls) => (calls === 1 ? fault("timeout") : answer(0.9)), {
      ...ASKED,
      timeout: 900,
      stall_timeout: 60,
    });
    const task = taskText({ ...ASKED, timeout: 900 }).replace(
      '"stall_timeout":300',
      '"stall_timeout":60',
    );

    await execute(MESSAGE, { ...ports, take: async () => ok({ task, lease: LEASE }) });

    const given = ports.models.asked.map(({ timeout_ms }) => timeout_ms);
    expect(given).toHaveLength(2);
    for (const ms of given) {
      expect(ms).toBeLessThanOrEqual(50_000);
      expect(ms).toBeGreaterThan(40_000);
    }
    expect(JSON.stringify(ports.said)).toContain("Asking small once more: timeout");
  });

  it("asks for no more time than the whole life and the budget of time leave", async () => {
    const task = { ...ASKED, timeout: 900, contract: { budget: { max_duration_s: 60 } } };
    const budgeted = withModels(() => answer(0.9), task);
    const old = withModels(() => answer(0.9), { ...ASKED, timeout: 900 });
    const deadline_at = Date.parse("2026-11-22T10:00:30Z");

    await execute(MESSAGE, budgeted);
    await execute(MESSAGE, {
      ...old,
      take: async () =>
        ok({ task: taskText({ ...ASKED, timeout: 900 }), lease: LEASE, deadline_at }),
    });

    expect(budgeted.router.questions[0]?.time_left_ms).toBeLessThanOrEqual(59_000);
    expect(budgeted.models.asked[0]?.timeout_ms).toBeLessThanOrEqual(59_000);
    expect(old.models.asked[0]?.timeout_ms).toBeLessThanOrEqual(29_000);
  });

  it("ends as resource_exhausted when its budget of time is over", async () => {
    const ports = withModels(() => answer(0.9), {
      ...ASKED,
      contract: { budget: { max_duration_s: 3 } },
    });

    await execute(MESSAGE, ports);

    expect(ports.models.asked).toEqual([]);
    expect(ports.ends).toMatchObject([{ reason: "resource_exhausted" }]);
  });

  it("gives out an answer that comes when there is time for nothing else", async () => {
    let clock = Date.parse("2026-11-22T10:00:00Z");
    const ports = withModels(() => {
      clock += 299_500;
      return answer(0.9);
    });

    await execute(MESSAGE, { ...ports, now: () => clock });

    expect(ports.ends).toMatchObject([{ reason: "success" }]);
  });

  it("does not rest without being told to", async () => {
    const ports = desk(ASKED);
    const to = { tenant: "t", task_id: "task-1", lease: LEASE };

    expect(await restWhilePaused(await beginAttempt(taskText(ASKED), to, ports))).toEqual(ok(null));
    expect(ports.beats).toEqual([]);
  });
});

describe("the news of an attempt", () => {
  const step = {
    progress_percentage: 100,
    current_step: "one",
    steps_completed: 1,
    total_steps: 2,
  };

  it("never fall, never say that all is done, and keep a step's name short", () => {
    const news = new News(0);

    expect(news.tell(step, 1).progress_percentage).toBe(99);
    const next = news.tell(
      { ...step, progress_percentage: 10, current_step: "y".repeat(5_000) },
      2,
    );
    expect([next.progress_percentage, next.current_step.length]).toEqual([99, 1_000]);
  });

  it("are due when asked for, by the interval, and once for a step that only an attempt before has told", () => {
    const interval = pacer({ progress_interval: 10 });
    const news = new News(0);
    expect(news.isDue(60_000, interval)).toBe(false);

    news.remember(step);
    expect(news.isDue(1, pacer())).toBe(true);
    news.tell(news.latest ?? step, 5);
    expect([news.newAt, news.isDue(6, interval), news.isDue(10_005, interval)]).toEqual([
      5,
      false,
      true,
    ]);
    news.ask();
    expect(news.isDue(6, interval)).toBe(true);
    news.tell(news.latest ?? step, 7);
    expect([news.newAt, news.isDue(8, interval)]).toEqual([5, false]);
    news.restart(9);
    expect(news.newAt).toBe(9);
  });
});
