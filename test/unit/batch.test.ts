import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Stop } from "../../src/dispatch/batch/batch-record.ts";
import {
  deadlineOf,
  gateOf,
  isNews,
  openTasks,
  standingOf,
  timeoutOf,
} from "../../src/dispatch/batch/batch.ts";
import { BEGAN, endOf, planOf, recordOf } from "./batch-fixture.ts";

const CANCEL: Stop = { kind: "cancel", reason: "cancelled", message: "enough", at: BEGAN + 5_000 };
const SEQUENCE = [[], [0], [1]];
const SIDE_BY_SIDE = [[], [], [], [], []];
const DIAMOND = [[], [0], [0], [1, 2]];

const released = (record: Parameters<typeof standingOf>[0]) => [...standingOf(record).released];

describe("a batch", () => {
  it("lets go one after the other where each waits for the one before", () => {
    const plan = planOf(SEQUENCE);

    expect(released(recordOf(plan))).toEqual([0]);
    expect(released(recordOf(plan, endOf(0, "failed")))).toEqual([0, 1]);
    expect(released(recordOf(plan, endOf(0), endOf(1)))).toEqual([0, 1, 2]);
  });

  it("lets go no more at one time than it may", () => {
    const plan = planOf(SIDE_BY_SIDE, { max_concurrent: 2 });

    expect(released(recordOf(plan))).toEqual([0, 1]);
    expect(released(recordOf(plan, endOf(1)))).toEqual([0, 1, 2]);
    expect(released(recordOf(plan, endOf(1), endOf(0)))).toEqual([0, 1, 2, 3]);
  });

  it("lets go as the dependencies say", () => {
    const plan = planOf(DIAMOND);

    expect(released(recordOf(plan))).toEqual([0]);
    expect(released(recordOf(plan, endOf(0)))).toEqual([0, 1, 2]);
    expect(released(recordOf(plan, endOf(0), endOf(2)))).toEqual([0, 1, 2]);
    expect(released(recordOf(plan, endOf(0), endOf(2), endOf(1)))).toEqual([0, 1, 2, 3]);
  });

  it("spends no place on an item that ended before it was let go", () => {
    const plan = planOf(SIDE_BY_SIDE, { max_concurrent: 1 });

    expect(released(recordOf(plan, endOf(1, "cancelled")))).toEqual([0]);
    expect(released(recordOf(plan, endOf(1, "cancelled"), endOf(0)))).toEqual([0, 2]);
  });

  it.each([
    { statuses: ["completed", "completed", "completed"], state: "completed" },
    { statuses: ["completed", "failed", "completed"], state: "failed" },
    { statuses: ["completed", null, "completed"], state: "failed" },
    { statuses: ["completed", "completed"], state: "running" },
  ] as const)("is $state after $statuses", ({ statuses, state }) => {
    const ends = statuses.map((status, index) => endOf(index, status, BEGAN + index));
    const standing = standingOf(recordOf(planOf(SEQUENCE), ...ends));

    expect(standing.state).toBe(state);
    expect(standing.ended_at).toBe(state === "running" ? null : BEGAN + 2);
  });

  it("is stopped by its first failure where it is told to fail fast", () => {
    const plan = planOf(SIDE_BY_SIDE, { fail_fast: true, max_concurrent: 1 });

    const standing = standingOf(recordOf(plan, endOf(0, "failed"), endOf(1, "cancelled")));

    expect(standing.stop).toMatchObject({ kind: "fail_fast", reason: "cancelled" });
    expect(standing.stop?.message).toContain("t0 (number 0) ended with failure");
    expect([...standing.released]).toEqual([0]);
    expect(standing.state).toBe("running");
  });

  it.each([
    { kind: "cancel", state: "cancelled" },
    { kind: "timeout", state: "timed_out" },
    { kind: "fail_fast", state: "failed" },
  ] as const)("ends as $state after a stop by $kind", ({ kind, state }) => {
    const record = recordOf(planOf([[], []]), endOf(0), endOf(1, "cancelled", BEGAN + 9_000));

    expect(standingOf({ ...record, stop: { ...CANCEL, kind } }).state).toBe(state);
  });

  it("has succeeded although it was stopped, when everything had been done", () => {
    const record = recordOf(planOf([[]]), endOf(0));

    expect(standingOf({ ...record, stop: CANCEL }).state).toBe("completed");
  });

  it("keeps the stop that came first", () => {
    const plan = planOf(SIDE_BY_SIDE, { fail_fast: true });
    const early = { ...recordOf(plan, endOf(0, "failed", BEGAN + 1_000)), stop: CANCEL };
    const late = { ...recordOf(plan, endOf(0, "failed", BEGAN + 6_000)), stop: CANCEL };

    expect(standingOf(early).stop?.kind).toBe("fail_fast");
    expect(standingOf(late).stop?.kind).toBe("cancel");
  });

  it("lets go nothing after a stop", () => {
    const record = recordOf(planOf(SEQUENCE), endOf(0, "completed", CANCEL.at + 1));

    expect(released({ ...record, stop: CANCEL })).toEqual([0]);
  });

  it("times out when its time is over, once", () => {
    const record = recordOf(planOf(SEQUENCE));
    const due = deadlineOf(record);

    expect(due).toBe(BEGAN + 60_000);
    expect(timeoutOf(record, due - 1)).toBeNull();
    expect(timeoutOf(record, due)).toMatchObject({ kind: "timeout", reason: "timeout", at: due });
    expect(timeoutOf({ ...record, stop: CANCEL }, due)).toBeNull();
    expect(timeoutOf(recordOf(planOf([[]]), endOf(0)), due)).toBeNull();
  });

  it("tells a task that asks whether it may start, or why it never will", () => {
    const record = recordOf(planOf(SEQUENCE));

    expect(gateOf(record, "t0")).toEqual({ is_open: true });
    expect(gateOf(record, "t1")).toEqual({ is_open: false });
    expect(gateOf(record, "stranger")).toEqual({ is_open: false });
    expect(gateOf({ ...record, stop: CANCEL }, "t1")).toEqual({
      is_open: false,
      stop: { reason: "cancelled", message: "enough" },
    });
  });

  it("takes the end of each of its tasks once", () => {
    const record = recordOf(planOf(SEQUENCE), endOf(0));

    expect(openTasks(record)).toEqual(["t1", "t2"]);
    expect(isNews(record, "t1")).toBe(true);
    expect(isNews(record, "t0")).toBe(false);
    expect(isNews(record, "stranger")).toBe(false);
  });

  it("never lets go more than it may, before its time, or nothing while something could go on", () => {
    const batches = fc.record({
      graph: fc.array(fc.uniqueArray(fc.nat(9), { maxLength: 3 }), { minLength: 1, maxLength: 10 }),
      max_concurrent: fc.integer({ min: 1, max: 4 }),
      picks: fc.array(fc.nat(), { maxLength: 10 }),
    });
    fc.assert(
      fc.property(batches, ({ graph, max_concurrent, picks }) => {
        // Each waits for earlier ones only, so that there is no circle.
        const earlier = graph.map((after, index) => after.filter((other) => other < index));
        let record = recordOf(planOf(earlier, { max_concurrent }));
        for (const pick of picks) {
          const { released: now, ended } = standingOf(record);
          const active = [...now].filter((index) => !ended.has(index));
          expect(active.length).toBeLessThanOrEqual(max_concurrent);
          for (const index of now) {
            for (const other of earlier[index] ?? []) expect(ended.has(other)).toBe(true);
          }
          expect(active.length > 0 || ended.size === earlier.length).toBe(true);
          const next = active[pick % Math.max(1, active.length)];
          if (next === undefined) return;
          record = { ...record, ends: [...record.ends, endOf(next)] };
        }
      }),
    );
  });
});
