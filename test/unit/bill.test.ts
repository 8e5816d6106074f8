import { describe, expect, it } from "vitest";

import { deliveryBill, levers, monthBill, taskBill, total, usageOf } from "../load/bill.ts";
import type { Step } from "../load/bill.ts";

const submit: Step = {
  step: "submit",
  rows: { "task: INSERT record": 3 },
  calls: { "task.submit": 1 },
  messages: { EVENTS: 1 },
  lines: 1,
};
const progress: Step = {
  step: "progress 1",
  rows: {
    "task: INSERT record": 1,
    "endpoint: INSERT delivery": 1,
    "endpoint: UPDATE delivery": 1,
  },
  calls: { "task.notify": 1, "endpoint.enqueue": 1, "endpoint.alarm": 1 },
  messages: {},
  lines: 2,
};
const life = [submit, progress];

describe("a bill", () => {
  it("is list prices times what was measured", () => {
    const usage = usageOf(life, 10);

    expect(usage).toMatchObject({ rows: 6, objectCalls: 4, queueOperations: 3, requests: 8 });
    const bill = taskBill(usage);
    expect(bill["rows written"]).toBeCloseTo(6e-6, 12);
    expect(bill["queue messages"]).toBeCloseTo(1.2e-6, 12);
    expect(bill["requests and CPU time"]).toBeCloseTo(8 * 0.3e-6 + 10 * 0.02e-6, 12);
    expect(bill["calls of objects and alarms"]).toBeCloseTo(4 * 0.15e-6, 12);
    // Four calls of 10 ms, and 200 ms for a receiver.
    expect(bill["time of objects"]).toBeCloseTo(0.24 * 1.6e-6, 12);
  });

  it("of a delivery has what its endpoint does for it, and its removal", () => {
    const bill = deliveryBill(life);

    expect(bill["rows written"]).toBeCloseTo(2e-6, 12);
    expect(bill["its row deleted after the retention"]).toBeCloseTo(1e-6, 12);
    expect(bill["calls and alarms"]).toBeCloseTo(2 * 0.15e-6, 12);
  });

  it("of a month begins where what the plan includes ends", () => {
    const usage = usageOf(life, 10);
    const few = monthBill(usage, 100, 7);
    const many = monthBill(usage, 1_000_000, 7);
    const of = (lines: typeof few, what: string) => lines.find((line) => line.what === what);

    expect(few.reduce((sum, { dollars }) => sum + dollars, 0)).toBe(5);
    expect(of(many, "rows written")?.dollars).toBeCloseTo(6 * 30 - 50, 6);
    expect(of(many, "GB of tasks' objects")?.used).toBeCloseTo(143.36, 6);
  });

  it("falls by what a lever takes out of the life", () => {
    const found = levers({ paced: life, burst: [submit], slow: life, cpuMs: 8 });
    const spares = (part: string) => found.find(({ what }) => what.includes(part))?.spares ?? NaN;

    // The whole step, one request and a millisecond, and the row that would be deleted.
    const step = total(taskBill(usageOf(life, 8))) - total(taskBill(usageOf([submit], 8)));
    expect(spares("progress notification less")).toBeCloseTo(step + 0.3e-6 + 0.02e-6 + 1e-6, 12);
    // Two rows and the one of the removal, two calls and their time, 200 ms for the receiver.
    expect(spares("no webhook")).toBeCloseTo(3e-6 + 2 * 0.15e-6 + 0.22 * 1.6e-6, 12);
    expect(spares("ends alone")).toBeCloseTo(spares("no webhook"), 12);
    expect(spares("25 s apart")).toBeCloseTo(0, 12);
  });
});
