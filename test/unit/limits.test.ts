import { describe, expect, it } from "vitest";

import { Limits } from "../../src/access/limits.ts";
import { LimitWorld } from "./limit-world.ts";

const BY = { key_id: "k1", tenant: "acme", scopes: [], isBootstrap: false };

/** An isolate in a world of its own, and an object that can be taken away. */
function isolateIn(world: LimitWorld) {
  const state = { isDown: false, calls: 0 };
  const lines: string[] = [];
  const { door } = world;
  const limits = new Limits({
    now: () => world.now,
    log: (_level, event) => lines.push(event),
    door: () => ({
      ...door,
      lease: async (text) => {
        state.calls += 1;
        if (state.isDown) throw new Error("the object is not there");
        return door.lease(text);
      },
    }),
    scale: 1,
    slow_ms: 50,
  });
  return { limits, state, lines };
}

async function drain(limits: Limits, most = 2_000): Promise<number> {
  let passed = 0;
  for (let turn = 0; turn < most; turn += 1) {
    if ((await limits.draw(BY, "execute")).isAllowed) passed += 1;
    else return passed;
  }
  return passed;
}

describe("the limits in an isolate", () => {
  it("charges what passed while the object failed", async () => {
    const world = new LimitWorld();
    const { limits, state } = isolateIn(world);
    state.isDown = true;
    let passed = 0;
    for (let second = 0; second < 28; second += 1) {
      world.now += 1_000;
      passed += await drain(limits, 10);
    }
    state.isDown = false;
    world.now += 11_000;

    const after = await drain(limits, 400);

    expect([passed, after]).toEqual([280, 20]);
  });

  it("lets exactly the limit pass, asks rarely, and asks nobody once all is spent", async () => {
    const { limits, state } = isolateIn(new LimitWorld());
    const passed = await drain(limits);
    const calls = state.calls;
    const refused = await Promise.all(
      Array.from({ length: 1_000 }, () => limits.draw(BY, "execute")),
    );

    expect(passed).toBe(300);
    expect(calls).toBeLessThan(30);
    expect(state.calls).toBe(calls);
    expect(refused.every(({ isAllowed, remaining }) => !isAllowed && remaining === 0)).toBe(true);
    expect(refused[0]).toMatchObject({ limit: 300, reset_s: 60 });
  });

  it("lets requests that come together share one call", async () => {
    const { limits, state } = isolateIn(new LimitWorld());
    const draws = await Promise.all(Array.from({ length: 500 }, () => limits.draw(BY, "execute")));

    expect(draws.filter(({ isAllowed }) => isAllowed)).toHaveLength(300);
    expect(state.calls).toBe(1);
  });

  it("counts what is left down, one by one", async () => {
    const { limits } = isolateIn(new LimitWorld());
    const left: number[] = [];
    for (let turn = 0; turn < 300; turn += 1) {
      left.push((await limits.draw(BY, "execute")).remaining);
    }

    expect(left).toEqual(Array.from({ length: 300 }, (_, index) => 299 - index));
  });

  it("hears of a new limit within five seconds, also while it refuses", async () => {
    const world = new LimitWorld();
    const { limits } = isolateIn(world);
    await drain(limits);
    const patch = { schema_version: "2.0", limits: { execute: 310 } };
    world.book.change({ by: "a", scale: 1, change: { patch } });
    const at_once = await limits.draw(BY, "execute");
    world.now += 5_000;

    expect(at_once.isAllowed).toBe(false);
    expect(await drain(limits)).toBe(10);
  });

  it("keeps principals apart: keys, tenants, and an agent that signs from the key it belongs to", async () => {
    const { limits } = isolateIn(new LimitWorld());
    await drain(limits);

    for (const other of [{ key_id: "k2" }, { agent_id: "ann" }]) {
      expect(await limits.draw({ ...BY, ...other }, "execute")).toMatchObject({ isAllowed: true });
    }
    expect((await limits.draw(BY, "execute")).isAllowed).toBe(false);
  });

  it("goes on without the object, by its own count, and owes what it let pass", async () => {
    const world = new LimitWorld();
    const { limits, state, lines } = isolateIn(world);
    state.isDown = true;
    const passed = await drain(limits);
    const calls = state.calls;
    state.isDown = false;
    world.now += 20_000;
    const after = await drain(limits);

    expect(passed).toBe(300);
    expect(calls).toBe(2);
    expect(lines).toEqual(["limits_unavailable", "limits_unavailable"]);
    // What a call that failed had told of is not told again: it may have arrived.
    expect(after).toBeLessThanOrEqual(2);
  });

  it("does not wait for an object that is slow", async () => {
    const world = new LimitWorld();
    const limits = new Limits({
      now: () => world.now,
      log: () => {},
      door: () => ({ ...world.door, lease: () => new Promise(() => {}) }),
      scale: 1,
      slow_ms: 1,
    });

    expect((await limits.draw(BY, "execute")).isAllowed).toBe(true);
  });

  it("tells of answers and refusals with the next lease, each once", async () => {
    const world = new LimitWorld();
    const { limits } = isolateIn(world);
    for (let turn = 0; turn < 20; turn += 1) limits.answered("acme", turn < 2);
    await drain(limits);
    for (let turn = 0; turn < 5; turn += 1) await limits.draw(BY, "execute");
    world.now += 5_000;
    await limits.draw(BY, "execute");

    expect(world.factor).toMatchObject({ value: 0.5, evidence: "2 of 20 answers were 5xx" });
    // The first refusal ended the draining.
    expect(world.book.view(1).usage[0]).toMatchObject({ key_id: "k1", refused: 6 });
  });
});
