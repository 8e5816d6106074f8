import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { adjust, keyFactor, steady, STEP_MS } from "../../src/access/limit-factor.ts";
import { LimitWorld } from "./limit-world.ts";

const FINE = { answers: 20, faults: 1, backlog: null };
const BAD = { answers: 20, faults: 2, backlog: null };

/** The values of a factor, a step after the other. */
function valuesOf(seen: readonly Parameters<typeof adjust>[1][]): number[] {
  let factor = steady(0);
  return seen.map((each, index) => {
    factor = adjust(factor, each, (index + 1) * STEP_MS);
    return factor.value;
  });
}

describe("the factor of a tenant", () => {
  it("falls by half in each step of more than 5 % faults, to a quarter at least, and rises by an eighth in each other", () => {
    const seen = [BAD, BAD, BAD, FINE, FINE, FINE, FINE, FINE, FINE, FINE, FINE];

    expect(valuesOf(seen)).toEqual([0.5, 0.25, 0.25, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1]);
  });

  it("falls at once, and once a step", () => {
    const first = adjust(steady(0), BAD, 1);
    const second = adjust(first, BAD, 2);

    expect([first.value, second.value]).toEqual([0.5, 0.5]);
    expect(first).toMatchObject({ reason: "errors", evidence: "2 of 20 answers were 5xx" });
  });

  it("concludes nothing from fewer than 20 answers, and does not rise by them either", () => {
    const few = { answers: 19, faults: 19, backlog: null };
    const fallen = adjust(steady(0), BAD, 1);
    const unclear = adjust(fallen, few, STEP_MS);

    expect(adjust(steady(0), few, 1).value).toBe(1);
    expect(adjust(unclear, { answers: 0, faults: 0, backlog: null }, 2 * STEP_MS).value).toBe(0.5);
  });

  it("comes back while nobody asks anything", () => {
    const fallen = adjust(steady(0), BAD, 1);
    const later = adjust(fallen, { answers: 0, faults: 0, backlog: null }, 20 * STEP_MS);

    expect(later).toMatchObject({ value: 1, reason: "none", evidence: null });
  });

  it("falls while 1,000 tasks wait and the oldest has waited for 5 minutes, as long as that is news", () => {
    const backlog = { waiting: 1_000, oldest_ms: 300_000, read_at: 0 };
    const seen = { answers: 0, faults: 0, backlog };
    const fallen = adjust(steady(0), seen, 1);
    const again = adjust(fallen, seen, STEP_MS);
    const old = adjust(again, seen, 2 * STEP_MS);

    expect([fallen.value, again.value, old.value]).toEqual([0.5, 0.25, 0.25]);
    expect(fallen.reason).toBe("backlog");
    for (const less of [{ waiting: 999 }, { oldest_ms: 299_999 }]) {
      expect(adjust(steady(0), { ...seen, backlog: { ...backlog, ...less } }, 1).value).toBe(1);
    }
  });

  it("stays between a quarter and one, whatever happens", () => {
    const seen = fc.record({
      answers: fc.nat({ max: 100 }),
      faults: fc.nat({ max: 100 }),
      backlog: fc.option(
        fc.record({
          waiting: fc.nat({ max: 2_000 }),
          oldest_ms: fc.nat({ max: 600_000 }),
          read_at: fc.nat({ max: 1_000_000 }),
        }),
      ),
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(seen, fc.nat({ max: 60_000 }))), (history) => {
        let now = 0;
        let factor = steady(0);
        for (const [each, ms] of history) {
          now += ms;
          factor = adjust(factor, each, now);
          expect(factor.value).toBeGreaterThanOrEqual(0.25);
          expect(factor.value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe("the factor of a key", () => {
  it("falls when more was refused than served, and comes back with the windows in which that is not so", () => {
    const deaf = { taken: 300, refused: 301 };
    const fallen = keyFactor(1, deaf, 1);

    expect(fallen).toBe(0.5);
    expect([keyFactor(fallen, deaf, 1), keyFactor(0.25, deaf, 1)]).toEqual([0.25, 0.25]);
    expect(keyFactor(fallen, { taken: 300, refused: 300 }, 1)).toBe(1);
    expect(keyFactor(1, { taken: 0, refused: 59 }, 1)).toBe(1);
    expect(keyFactor(1, deaf, 2)).toBe(1);
  });
});

describe("what the factor is applied to", () => {
  it("is execute and status: executors can finish and operators repair", () => {
    const world = new LimitWorld();
    world.report(BAD);

    expect(world.book.view(1).effective).toEqual({
      execute: 150,
      notify: 840,
      status: 360,
      admin: 60,
    });
    expect(world.lines).toEqual(["warning limit_factor_changed"]);
    expect(world.book.view(1).changes).toMatchObject([
      { kind: "factor", by: null, from: { factor: 1 }, to: { factor: 0.5 }, reason: "errors" },
    ]);
  });

  it("survives the loss of the object's memory, and the time that passes counts", () => {
    const world = new LimitWorld();
    world.report(BAD);
    world.evict();
    const after = world.factor;
    world.now += 3 * STEP_MS;

    expect(after).toMatchObject({ value: 0.5, reason: "errors" });
    expect(world.factor.value).toBe(0.875);
  });

  it("reads the backlog at most every 15 s, and heeds it a call later", async () => {
    const world = new LimitWorld();
    let reads = 0;
    world.backlog = async () => {
      reads += 1;
      return { waiting: 1_000, oldest_ms: 300_000 };
    };
    for (let turn = 0; turn < 30; turn += 1) {
      world.report({});
      await Promise.resolve();
      world.now += 1_000;
    }

    expect(reads).toBe(2);
    expect(world.factor).toMatchObject({ reason: "backlog" });
  });

  it("is 1 where auto is off", () => {
    const world = new LimitWorld();
    world.report(BAD);
    world.book.change({
      by: "key_a",
      scale: 1,
      change: { patch: { schema_version: "2.0", auto: false } },
    });
    world.report(BAD);

    expect(world.factor.value).toBe(1);
    expect(world.book.view(1).changes.map(({ kind, by }) => [kind, by])).toEqual([
      ["factor", null],
      ["auto", "key_a"],
      ["factor", null],
    ]);
  });

  it("lowers the next window of a key that does not heed its refusals, and of no other", () => {
    const world = new LimitWorld();
    world.report({ principal: "deaf", operation: "execute" });
    world.report({ principal: "deaf", operation: "execute", refused: 400 });
    world.now += 60_000;
    const deaf = world.report({ principal: "deaf", operation: "execute" });
    const other = world.report({ principal: "other", operation: "execute" });

    expect([deaf.limit, other.limit]).toEqual([150, 300]);
    expect(world.book.view(1).usage.find(({ key_id }) => key_id === "deaf")).toMatchObject({
      factor: 0.5,
      effective: { execute: 150, status: 360, notify: 840, admin: 60 },
    });
  });
});
