import { describe, expect, it } from "vitest";

import { foldRollups, type DueFold, type RollupFold } from "../../src/history/rollup-fold.ts";

const HOUR = 3_600;
const DAY = 86_400;
/** Some instant within an hour and a day, epoch seconds. */
const NOW = 1_000 * DAY + 7 * HOUR + 65;

type Kept = Record<string, { step: number; bucket: number }[]>;

/** Steps of tenants in memory; what was folded, and what was said of it. */
async function fold(kept: Kept, fails = (_tenant: string) => false) {
  const folds: [string, RollupFold][] = [];
  const lines: string[] = [];
  const dueOf = (tenant: string, from: number, before: number): DueFold[] => {
    const due = (kept[tenant] ?? []).filter((one) => one.step === from && one.bucket < before);
    const oldest = Math.min(...due.map(({ bucket }) => bucket));
    return due.length === 0 ? [] : [{ tenant, oldest }];
  };
  await foldRollups({
    now: () => NOW * 1_000,
    log: (_level, event) => void lines.push(event),
    due: async ({ from, before }, limit) =>
      Object.keys(kept)
        .flatMap((tenant) => dueOf(tenant, from, before))
        .slice(0, limit),
    fold: async (tenant, { from, to, before }) => {
      if (fails(tenant)) throw new Error("D1 is down");
      folds.push([tenant, { from, to, before }]);
      kept[tenant] = (kept[tenant] ?? []).map((one) =>
        one.step === from && one.bucket < before
          ? { step: to, bucket: one.bucket - (one.bucket % to) }
          : one,
      );
    },
  });
  return { folds, lines, kept };
}

describe("folding old figures of tasks", () => {
  it("leaves the minutes of the last three hours and the hours of the last 90 days", async () => {
    const minutes = [4 * HOUR - 60, 4 * HOUR, 7 * HOUR].map((at) => ({
      step: 60,
      bucket: 1_000 * DAY + at,
    }));
    const hours = [910 * DAY - HOUR, 910 * DAY].map((bucket) => ({ step: HOUR, bucket }));

    const { kept, folds } = await fold({ one: [...minutes, ...hours] });

    expect(kept["one"]).toEqual([
      { step: HOUR, bucket: 1_000 * DAY + 3 * HOUR },
      ...minutes.slice(1),
      { step: DAY, bucket: 909 * DAY },
      ...hours.slice(1),
    ]);
    expect(folds).toHaveLength(2);
  });

  it("folds one longer step at a time, wherever the oldest is, and no more than 100 in one sweep", async () => {
    const old = (count: number) =>
      Array.from({ length: count }, (_, index) => ({ step: 60, bucket: index * 30 * HOUR }));

    const few = await fold({ one: old(3) });
    const many = await fold({ one: old(150), other: old(20) });

    expect(few.folds.slice(0, 3).map(([, { before }]) => before)).toEqual([
      HOUR,
      31 * HOUR,
      61 * HOUR,
    ]);
    const minutes = many.folds.filter(([, { from }]) => from === 60);
    expect(minutes).toHaveLength(100);
    // Tenants take turns.
    expect(minutes.filter(([tenant]) => tenant === "other")).toHaveLength(20);
  });

  it("does not let a tenant that cannot be folded keep the others", async () => {
    const due = [{ step: 60, bucket: 0 }];

    const { folds, lines } = await fold({ bad: due, good: due }, (tenant) => tenant === "bad");

    expect(new Set(folds.map(([tenant]) => tenant))).toEqual(new Set(["good"]));
    expect(lines).toEqual(["rollup_not_folded"]);
  });
});
