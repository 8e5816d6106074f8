import { describe, expect, it } from "vitest";

import type { Errands } from "../../src/task/alarm-plan.ts";
import {
  isArchiveAlarm,
  nextArchiveCheckMs,
  nextWakeAt,
  reminderDelayMs,
  repeatDelayMs,
} from "../../src/task/alarm-plan.ts";
import { totalDeadline } from "../../src/task/machine/limits.ts";
import { IN_PHASE, START, stateOf } from "../task-life.ts";

const NONE: Errands = {
  flush_at: null,
  pool_at: null,
  archive_at: null,
  kin_at: null,
  finish_at: null,
};
const MINUTE = 60_000;

describe("the next wake-up", () => {
  it.each(["flush_at", "pool_at", "archive_at", "kin_at", "finish_at"] as const)(
    "is for %s when that is first",
    (errand) => {
      const errands = { ...NONE, [errand]: START + 5 };

      expect(nextWakeAt(stateOf(IN_PHASE.executing()), errands)).toBe(START + 5);
    },
  );

  it("is for the earliest clock when that is first", () => {
    const state = stateOf(IN_PHASE.executing({ heartbeat_timeout: 20 }));

    expect(nextWakeAt(state, { ...NONE, flush_at: START + 30_000 })).toBe(START + 20_000);
  });

  it("is for the longest life of a task that waits without a limit", () => {
    const state = stateOf(IN_PHASE.queued());

    expect(nextWakeAt(state, NONE)).toBe(totalDeadline(state));
  });

  it("is never when the task is over and nothing is left to do", () => {
    expect(nextWakeAt(stateOf(IN_PHASE.ended()), NONE)).toBeNull();
  });
});

describe("a pause", () => {
  it.each([
    [0, 15_000],
    [15_000, 15_000],
    [30_000, 30_000],
    [10 * MINUTE, 10 * MINUTE],
    [60 * MINUTE, 15 * MINUTE],
  ])("before the pool is reminded, of a task queued for %d ms, is %d ms", (waited, pause) => {
    expect(reminderDelayMs(waited)).toBe(pause);
  });

  it.each([
    [0, MINUTE],
    [MINUTE, 2 * MINUTE],
    [8 * MINUTE, 16 * MINUTE],
    [29 * MINUTE, 58 * MINUTE],
    [30 * MINUTE, 60 * MINUTE],
    [31 * MINUTE, 120 * MINUTE],
    [60_000 * MINUTE, 60_120 * MINUTE],
  ])("after %d ms history is asked again %d ms after the end, at a whole hour", (ended, next) => {
    expect(nextArchiveCheckMs(ended)).toBe(next);
    expect(isArchiveAlarm(next)).toBe(next >= 60 * MINUTE);
  });

  it.each([
    [1, 1_000],
    [2, 2_000],
    [6, 32_000],
    [7, MINUTE],
    [1_000, MINUTE],
  ])("after failure %d in a row is %d ms", (failures, pause) => {
    expect(repeatDelayMs(failures)).toBe(pause);
  });
});
