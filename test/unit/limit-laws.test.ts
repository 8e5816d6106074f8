import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DEFAULT_LIMITS, quotaOf } from "../../src/access/limit-policy.ts";
import { WINDOW_MS } from "../../src/access/limit-window.ts";
import { operationClassSchema } from "../../src/protocol/limits.ts";
import type { OperationClass } from "../../src/protocol/limits.ts";
import { LimitWorld, PlainIsolate } from "./limit-world.ts";

const QUOTA = quotaOf(DEFAULT_LIMITS, { scale: 1, factor: 1 });
const CLASSES = operationClassSchema.options;

/** Draws until one is refused; how many passed. */
function drain(isolate: PlainIsolate, operation: OperationClass): number {
  let passed = 0;
  while (isolate.draw(operation)) passed += 1;
  return passed;
}

type Step =
  | {
      kind: "draw";
      isolate: number;
      operation: OperationClass;
      times: number;
      lost: "nothing" | "call" | "answer";
    }
  | { kind: "wait"; ms: number }
  | { kind: "evict" };

const step = (withEvictions: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 20,
      arbitrary: fc.record({
        kind: fc.constant("draw" as const),
        isolate: fc.nat({ max: 3 }),
        operation: fc.constantFrom(...CLASSES),
        times: fc.integer({ min: 1, max: 400 }),
        lost: fc.constantFrom(
          "nothing" as const,
          "nothing" as const,
          "call" as const,
          "answer" as const,
        ),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant("wait" as const),
        ms: fc.integer({ min: 1, max: 20_000 }),
      }),
    },
    ...(withEvictions
      ? [{ weight: 3, arbitrary: fc.record({ kind: fc.constant("evict" as const) }) }]
      : []),
  );

/** Lives a random history; what passed in each window. */
function live(steps: Step[]) {
  const world = new LimitWorld();
  const isolates = Array.from({ length: 4 }, () => new PlainIsolate(world));
  let evictions = 0;
  for (const each of steps) {
    if (each.kind === "wait") world.now += each.ms;
    else if (each.kind === "evict") {
      evictions += 1;
      world.evict();
    } else {
      const isolate = isolates[each.isolate];
      isolate?.draw(each.operation, each.lost);
      for (let turn = 1; turn < each.times; turn += 1) isolate?.draw(each.operation);
    }
  }
  const passed = isolates.flatMap((isolate) => isolate.passed);
  const windows = [...Map.groupBy(passed, ({ window }) => window)].map(([window, all]) => ({
    window,
    last: Math.max(...all.map(({ at }) => at)),
    of: (operation: OperationClass) => all.filter((one) => one.operation === operation).length,
  }));
  return { windows, evictions };
}

describe("the laws of limits", () => {
  it("never lets more requests pass in a window than the limit, whatever isolates do and calls get lost", () => {
    fc.assert(
      fc.property(fc.array(step(false), { maxLength: 60 }), (steps) => {
        for (const { window, last, of } of live(steps).windows) {
          expect(last).toBeLessThan(window + WINDOW_MS);
          for (const operation of CLASSES) {
            expect(of(operation)).toBeLessThanOrEqual(QUOTA[operation]);
          }
          expect(of("notify") + of("status")).toBeLessThanOrEqual(QUOTA.notify);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("lets an eighth of the limit more pass for each time the object loses its memory, at most", () => {
    fc.assert(
      fc.property(fc.array(step(true), { maxLength: 60 }), (steps) => {
        const { windows, evictions } = live(steps);
        for (const { of } of windows) {
          for (const operation of CLASSES) {
            const most = QUOTA[operation] + evictions * Math.floor(QUOTA[operation] / 8);
            expect(of(operation)).toBeLessThanOrEqual(most);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("forgets nothing that the isolates which come back know of", () => {
    const world = new LimitWorld();
    const isolate = new PlainIsolate(world);
    for (let turn = 0; turn < 20; turn += 1) isolate.draw("execute");
    expect(world.store.written.windows).toBe(0);
    world.evict();
    world.now += 6_000;

    expect(20 + drain(isolate, "execute")).toBe(300);
  });

  it.each(CLASSES)("gives one isolate alone exactly the limit of %s", (operation) => {
    const world = new LimitWorld();

    expect(drain(new PlainIsolate(world), operation)).toBe(QUOTA[operation]);
    expect(world.leases).toBeLessThan(30);
  });

  it("gives exactly the limit also to who takes the whole window for it", () => {
    const world = new LimitWorld();
    const isolate = new PlainIsolate(world);
    let passed = 0;
    for (let turn = 0; turn < 590; turn += 1) {
      if (isolate.draw("execute")) passed += 1;
      world.now += 100;
    }

    expect(passed).toBe(300);
  });

  it.each([
    { flooded: "execute", left: { notify: 840, status: 0, admin: 60 } },
    { flooded: "notify", left: { execute: 300, status: 0, admin: 60 } },
    { flooded: "status", left: { execute: 300, notify: 120, admin: 60 } },
    { flooded: "admin", left: { execute: 300, notify: 840, status: 0 } },
  ] as const)(
    "keeps what is set aside for a class when $flooded is flooded",
    ({ flooded, left }) => {
      const world = new LimitWorld();
      for (let isolate = 0; isolate < 4; isolate += 1) drain(new PlainIsolate(world), flooded);
      const free = CLASSES.filter((operation) => operation !== flooded);

      // In this order, so that executors take all that they and reads share.
      expect(
        Object.fromEntries(free.map((each) => [each, drain(new PlainIsolate(world), each)])),
      ).toEqual(left);
    },
  );

  it("leaves no isolate without, though another holds what it does not use", () => {
    const world = new LimitWorld();
    const [busy, other] = [new PlainIsolate(world), new PlainIsolate(world)];
    for (let turn = 0; turn < 40; turn += 1) busy.draw("execute");

    // What is held and not used is hardly more than what was used.
    expect(drain(other, "execute")).toBeGreaterThanOrEqual(300 - 2 * 40 - 1);
  });

  it("writes a row for an eighth of the limit, and none for who makes few requests", () => {
    const world = new LimitWorld();
    const isolate = new PlainIsolate(world);
    for (let turn = 0; turn < 18; turn += 1) isolate.draw("execute");
    const few = world.store.written.windows;
    drain(isolate, "execute");

    expect(few).toBe(0);
    expect(world.store.written.windows).toBeLessThanOrEqual(8);
  });

  it("takes back in one window nothing that was given in another", () => {
    const world = new LimitWorld();
    const [idle, busy] = [new PlainIsolate(world), new PlainIsolate(world)];
    for (let turn = 0; turn < 40; turn += 1) idle.draw("execute");
    world.now += WINDOW_MS;
    const passed = drain(busy, "execute");
    idle.draw("execute");
    world.now += 5_000;

    expect([passed, drain(busy, "execute")]).toEqual([300, 0]);
  });

  it("opens the next window when the last is over", () => {
    const world = new LimitWorld();
    const isolate = new PlainIsolate(world);
    drain(isolate, "admin");
    world.now += WINDOW_MS - 1;
    const early = isolate.draw("admin");
    world.now += 1;

    expect([early, drain(isolate, "admin")]).toEqual([false, 60]);
  });
});
