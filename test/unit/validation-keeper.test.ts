import { describe, expect, it } from "vitest";

import { ValidationKeeper } from "../../src/history/validation-keeper.ts";
import type { LogFields } from "../../src/lib/log.ts";
import type { ValidationRecord } from "../../src/protocol/validation-record.ts";
import { validationRecord } from "../validation-record.ts";

function keeping(write?: () => Promise<void>) {
  const written: string[][] = [];
  const lines: (LogFields & { event: string })[] = [];
  const work: Promise<unknown>[] = [];
  const clock = { now: 0 };
  let wake = (): void => {};
  const keeper = new ValidationKeeper({
    now: () => clock.now,
    pause: () => new Promise((resolve) => (wake = resolve)),
    write:
      write ??
      (async (records: readonly ValidationRecord[]) =>
        void written.push(records.map(({ record_id }) => record_id))),
    log: (_level, event, fields) => lines.push({ event, ...fields }),
  });
  const add = (record_id: string) =>
    keeper.add(validationRecord({ record_id }), (promise) => work.push(promise));
  return { keeper, add, written, lines, work, clock, wake: () => wake() };
}

describe("records", () => {
  it("are written together after a second, by one promise of one request", async () => {
    const { add, written, work, wake } = keeping();
    add("a");
    add("b");

    const early = [...written];
    wake();
    await Promise.all(work);

    expect(early).toEqual([]);
    expect(work).toHaveLength(1);
    expect(written).toEqual([["a", "b"]]);
  });

  it("are promised anew when whoever was to write them has been cut off", () => {
    const { add, work, clock } = keeping();
    add("a");
    clock.now = 4_999;
    add("b");
    const before = work.length;

    clock.now = 5_000;
    add("c");

    expect([before, work.length]).toEqual([1, 2]);
  });

  it("that can't be written are dropped with a line in the log, and nobody fails", async () => {
    const { keeper, add, lines } = keeping(() => Promise.reject(new Error("D1 is down")));
    add("a");

    await keeper.flush();
    await keeper.flush();

    expect(lines).toEqual([{ event: "validations_dropped", count: 1, error: "Error: D1 is down" }]);
  });

  it("beyond 500 are dropped, and counted", async () => {
    const { keeper, add, written, lines } = keeping();
    for (let turn = 0; turn < 503; turn += 1) add(`r${turn}`);

    await keeper.flush();

    expect(written[0]).toHaveLength(500);
    expect(lines).toEqual([{ event: "validations_dropped", count: 3 }]);
  });
});
