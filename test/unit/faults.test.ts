import { describe, expect, it } from "vitest";

import { faultyDatabase } from "../../src/faults/database.ts";
import { Dice, seededRandom } from "../../src/faults/dice.ts";
import { faultyNamespace, makeFragile } from "../../src/faults/objects.ts";
import { faultyQueue } from "../../src/faults/queue.ts";
import { troubledCall } from "../../src/faults/troubled-call.ts";
import type { Maker } from "../../src/faults/troubled-call.ts";
import { injectedFaultsSchema } from "../../src/protocol/injected-faults.ts";

const UNTIL = "2026-11-27T12:00:00.000Z";
const END = Date.parse(UNTIL);
const SEED = { seed: 7, until: UNTIL };

/** What makes faults, at an instant that can be moved; pauses are noted. */
function maker(lasting = { from: 0, until: END }) {
  const at = { now: END - 60_000, pauses: [] as number[] };
  const made: Maker = {
    dice: new Dice(lasting, () => at.now, seededRandom(7)),
    pause: async (ms) => void at.pauses.push(ms),
  };
  return { at, made };
}

const plan = (changes: object) => injectedFaultsSchema.parse({ ...SEED, ...changes });

/** A queue that notes what it is sent. */
class NotedQueue {
  readonly sent: unknown[][] = [];
  async send(...args: unknown[]): Promise<void> {
    this.sent.push(args);
  }
}

describe("injected faults", () => {
  it("are the same for the same seed", () => {
    const draws = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));

    expect(draws(7)).toEqual(draws(7));
    expect(draws(7)).not.toEqual(draws(8));
    expect(new Set(draws(7)).size).toBe(5);
  });

  it("end at their instant by themselves", () => {
    const { at, made } = maker();

    expect(made.dice.pick({ fail: 1 })).toBe("fail");
    at.now = END;
    expect(made.dice.pick({ fail: 1 })).toBeNull();
  });

  it("happen as often as their shares say", () => {
    const { made } = maker();
    const counts = { drop: 0, duplicate: 0, none: 0 };
    for (let call = 0; call < 10_000; call += 1) {
      counts[made.dice.pick({ drop: 0.2, duplicate: 0.1 }) ?? "none"] += 1;
    }

    expect(counts.drop / 10_000).toBeCloseTo(0.2, 1);
    expect(counts.duplicate / 10_000).toBeCloseTo(0.1, 1);
  });

  it("lose, repeat and delay what is sent to a queue", async () => {
    const sentWith = async (queues: object) => {
      const queue = new NotedQueue();
      await faultyQueue(queue, plan({ queues }).queues, maker().made).send("task", {
        delaySeconds: 10,
      });
      return queue.sent;
    };

    expect(await sentWith({})).toEqual([["task", { delaySeconds: 10 }]]);
    expect(await sentWith({ drop: 1 })).toEqual([]);
    expect(await sentWith({ duplicate: 1 })).toHaveLength(2);
    const [[, options] = []] = await sentWith({ delay: 1 });
    expect(options).toEqual({ delaySeconds: expect.closeTo(13, -1) });
    expect(options).not.toEqual({ delaySeconds: 10 });
    await expect(sentWith({ fail: 1 })).rejects.toThrow("injected by BATUTA_FAULTS");
  });

  it("fail a call before it is made, or lose its answer when it was", async () => {
    const made: string[] = [];
    const call = async (changes: object) => {
      const { at, made: with_ } = maker();
      const work = () => {
        made.push(Object.keys(changes).join());
        return "done";
      };
      const value = await Promise.resolve(
        troubledCall(with_, plan({ outbound: changes }).outbound, work, () => new Error("broken")),
      ).catch(String);
      return [value, at.pauses.length];
    };

    expect(await call({ fail: 1 })).toEqual(["Error: broken", 0]);
    expect(made).toEqual([]);
    expect(await call({ lose_answer: 1 })).toEqual(["Error: broken", 0]);
    expect(await call({ slow: 1 })).toEqual(["done", 1]);
    expect(await call({})).toEqual(["done", 0]);
    expect(made).toEqual(["lose_answer", "slow", ""]);
  });

  it("keep the database away for as long as an outage lasts, and hand its statements on", async () => {
    class Statement {
      readonly text: string;
      constructor(text: string) {
        this.text = text;
      }
      bind(value: string): Statement {
        return new Statement(`${this.text} ${value}`);
      }
      async first(): Promise<string> {
        return this.text;
      }
    }
    const database = {
      prepare: (text: string) => new Statement(text),
      batch: async (all: Statement[]) => all.map(({ text }) => text),
    };
    const outages = [{ from: "2026-11-27T11:58:30.000Z", until: "2026-11-27T11:59:30.000Z" }];
    const { at, made } = maker();
    const faulty = faultyDatabase(database, plan({ database: { outages } }).database, made);
    const ask = () => faulty.prepare("SELECT").bind("1").first();

    await expect(ask()).rejects.toThrow("D1_ERROR");
    at.now = END - 30_000;
    expect(await ask()).toBe("SELECT 1");
    expect(await faulty.batch([faulty.prepare("SELECT").bind("2")])).toEqual(["SELECT 2"]);
  });

  it("make objects unreachable for their callers", async () => {
    const stub = { view: async () => "seen" };
    const namespace = { getByName: () => stub, idFromName: () => "id" };
    const faulty = (objects: object) =>
      faultyNamespace(namespace, plan({ objects }).objects, maker().made);

    expect(await faulty({}).getByName().view()).toBe("seen");
    expect(faulty({ fail: 1 }).idFromName()).toBe("id");
    await expect(faulty({ fail: 1 }).getByName().view()).rejects.toMatchObject({ retryable: true });
  });

  it("tear objects down before, during and after their calls", async () => {
    class Counter {
      readonly aborted: string[] = [];
      count = 0;
      ctx = { abort: (reason: string) => void this.aborted.push(reason) };
      async add(): Promise<number> {
        this.count += 1;
        return this.count;
      }
    }
    makeFragile(Counter.prototype, 1, maker().made);
    const seen = { failed: 0, done: 0, counted: 0, aborted: 0 };
    for (let call = 0; call < 60; call += 1) {
      const counter = new Counter();
      const isDone = await (async () => counter.add())().then(
        () => true,
        () => false,
      );
      await Promise.resolve();
      if (isDone) seen.done += 1;
      else seen.failed += 1;
      seen.counted += counter.count;
      seen.aborted += counter.aborted.length;
    }

    // Every one is torn down; some had done their work by then, and only some of their callers know.
    expect(seen.aborted).toBe(60);
    expect(seen.done).toBeGreaterThan(5);
    expect(seen.counted).toBeGreaterThan(seen.done + 5);
    expect(seen.counted).toBeLessThan(55);
  });
});
