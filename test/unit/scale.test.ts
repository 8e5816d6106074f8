import { describe, expect, it } from "vitest";

import type { Step } from "../load/bill.ts";
import history from "../load/measured/history.json" with { type: "json" };
import paced from "../load/measured/paced.json" with { type: "json" };
import {
  burst,
  draws,
  hangingEndpoint,
  hotTenant,
  quantileOf,
  serve,
} from "../load/scale/events.ts";
import { breaksAt, dollarsOfMonth, FULL, relieved } from "../load/scale/levers.ts";
import { partsAt, perTask, type Situation } from "../load/scale/parts.ts";

const step = (changes: Partial<Step>): Step => ({
  step: "a step",
  rows: {},
  calls: {},
  messages: {},
  lines: 1,
  ...changes,
});

/** A life of two steps with a delivery, whose figures are round. */
const STEPS = [
  step({ calls: { "task.submit": 1, "pool.announce": 1 }, messages: { EVENTS: 1 } }),
  step({
    rows: { "endpoint: INSERT delivery": 1 },
    calls: { "task.end": 1, "pool.release": 1, "endpoint.alarm": 1 },
    messages: { EVENTS: 1 },
  }),
];
const MEASURED = { steps: STEPS, bytesPerTask: 1_000, bytesPerRemoved: 100, batchMs: 50 };

/** A hundred tasks a second, all the same time. */
const AT: Situation = {
  tasksPerDay: 8_640_000,
  peak: 1,
  tenants: 100,
  largest: 0.5,
  lifeSeconds: 10,
  receiverMs: 60,
  requestsOfIsolate: 100,
  retentionDays: 1,
  removedDays: 0,
  installations: 1,
  splits: 1,
  pools: 1,
  endpointShards: 1,
  databases: 1,
  queues: 1,
};

const useOf = (name: string, at: Situation = AT, measured = MEASURED) =>
  partsAt(measured, at).find((one) => one.name === name)?.use;

describe("the parts at so many tasks a day", () => {
  it("are as busy as what they are asked over what they can do", () => {
    expect(perTask(STEPS)).toEqual({
      taskCalls: 2,
      poolCalls: 2,
      endpointCalls: 1,
      deliveries: 1,
      messages: 2,
      requests: 1,
    });
    // 50 tasks a second of the largest tenant, two calls each, of 200.
    expect(useOf("pool of the largest tenant")).toBeCloseTo(0.5, 9);
    // 50 deliveries a second of 60 ms: three in flight, of six.
    expect(useOf("endpoint of the largest tenant, requests in flight")).toBeCloseTo(0.5, 9);
    // 200 messages a second, of 5,000; half a millisecond of D1 each.
    expect(useOf("queue of news")).toBeCloseTo(0.04, 9);
    expect(useOf("history, time of the databases")).toBeCloseTo(0.1, 9);
    // 8.64 GB of ten, of which half are the largest tenant's.
    expect(useOf("history, room of the databases")).toBeCloseTo(0.864, 9);
    expect(useOf("history of the largest tenant, room")).toBeCloseTo(0.432, 9);
  });

  it("hold what is remembered of removed tasks, and look at all of it once a day", () => {
    const remembering = { ...AT, removedDays: 6 };

    // A tenth of a task's bytes for twenty days, fourteen of them behind those: as much as the task itself for two.
    expect(useOf("history, room of the databases", remembering)).toBeCloseTo(3 * 0.864, 9);
    expect(useOf("history of the largest tenant, room", remembering)).toBeCloseTo(1.5 * 0.864, 9);
    // 172.8 million rows, of 400,000 in each of 288 sweeps.
    expect(useOf("forgetting of removed tasks", remembering)).toBeCloseTo(1.5, 9);
  });

  it("are relieved by their levers, and by no other", () => {
    const of = (changes: Partial<Situation>, name: string) =>
      (useOf(name, { ...AT, ...changes }) ?? 0) / (useOf(name) ?? 1);

    expect(of({ pools: 4 }, "pool of the largest tenant")).toBeCloseTo(1 / 4, 9);
    expect(of({ databases: 4 }, "history, room of the databases")).toBeCloseTo(1 / 4, 9);
    expect(of({ databases: 4 }, "history of the largest tenant, room")).toBe(1);
    expect(of({ splits: 4 }, "history of the largest tenant, room")).toBeCloseTo(1 / 4, 9);
    expect(of({ queues: 2 }, "queue of news")).toBeCloseTo(1 / 2, 9);
    expect(of({ installations: 2 }, "removal of what is too old")).toBeCloseTo(1 / 2, 9);
  });

  it("are full at as many times the tasks as their share says, or never", () => {
    expect(breaksAt(MEASURED, AT, "pool of the largest tenant")).toBeCloseTo(2, 9);
    expect(breaksAt(MEASURED, AT, "object of one task")).toBeNull();
  });
});

describe("the levers", () => {
  const measured = { steps: paced, ...history };

  it.each([1, 10, 100, 1_000])(
    "at %i million tasks a day leave nothing full that is not only late",
    (times) => {
      const wanted = {
        ...AT,
        tasksPerDay: 1e6 * times,
        tenants: 100 * times,
        peak: 3,
        largest: 0.2,
        receiverMs: 200,
        retentionDays: 365,
        removedDays: 365,
      };

      const parts = partsAt(measured, relieved(measured, wanted));

      expect(parts.filter(({ use, isSoft }) => use > FULL + 1e-9 && !isSoft)).toEqual([]);
    },
  );

  it("let removed tasks be remembered for a fifth of the room, a week at least, and history have the rest", () => {
    const daysOf = (tasksPerDay: number, removedDays: number) => {
      const wanted = { ...AT, tasksPerDay, largest: 1, retentionDays: 365, removedDays };
      const found = relieved(MEASURED, wanted);
      return [found.removedDays, found.retentionDays];
    };

    // 7 GB of a database; a million tasks a day are 1 GB in history, and 0.1 GB when they were removed.
    expect(daysOf(500_000, 365)).toEqual([14, 11]);
    expect(daysOf(500_000, 10)).toEqual([10, 11]);
    expect(daysOf(4e6, 365)).toEqual([7, 1]);
    expect(daysOf(10_000, 365)).toEqual([365, 365]);
  });

  it("are left alone where nothing is full", () => {
    const small = { ...AT, tasksPerDay: 1_000 };

    expect(relieved(MEASURED, small)).toEqual(small);
  });

  it("cost what history takes of D1 beside what tasks use", () => {
    const costs = { cpuMs: 10, objectDays: 7 };
    const one = dollarsOfMonth(MEASURED, AT, costs);
    const ten = dollarsOfMonth(MEASURED, { ...AT, retentionDays: 10 }, costs);

    // 8.64 GB a day at $0.75, of which 5 are included.
    expect(ten - one).toBeCloseTo(9 * 8.64 * 0.75, 6);
    const remembered = dollarsOfMonth(MEASURED, { ...AT, removedDays: 6 }, costs);
    expect(remembered - one).toBeCloseTo(2 * 8.64 * 0.75, 6);
  });
});

describe("what comes at once", () => {
  it("waits for the next free server, in order", () => {
    const arrivals = [0, 0, 1].map((at) => ({ at, takes: 10, of: "a" }));

    expect(serve(arrivals, 1).map(({ ms }) => ms)).toEqual([10, 20, 29]);
    expect(serve(arrivals, 2).map(({ ms }) => ms)).toEqual([10, 10, 19]);
    expect(quantileOf([{ ms: 3 }, { ms: 1 }, { ms: 2 }], 0.5)).toBe(2);
  });

  it("waits less over more pools", () => {
    const of = (pools: number) =>
      burst({ tasks: 1_000, withinMs: 100, callMs: 2, pools }, draws(1)).p99;

    expect(of(1)).toBeGreaterThan(3.5 * of(4));
  });

  it("of a small tenant waits beside a large one that fills their database, and not in another", () => {
    const { together, apart } = hotTenant({ hot: 1_100, small: 5, ms: 1, seconds: 20 }, draws(2));

    expect(together).toBeGreaterThan(1_000);
    expect(apart).toBeLessThan(10);
  });

  it("of a sound endpoint does not wait for one that hangs", () => {
    const parts = { perSecond: 10, receiverMs: 100, timeoutMs: 30_000, slots: 6, seconds: 30 };
    const { own, shared } = hangingEndpoint(parts, draws(3));

    expect(own).toBeLessThan(200);
    expect(shared).toBeGreaterThan(10_000);
  });
});
