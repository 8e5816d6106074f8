import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import type { Embedder } from "../../src/executor/memory/text/embedder.ts";
import { runOf, T0 } from "../memories.ts";
import { newMemory } from "./memory-world.ts";

const DAY = 86_400_000;

describe("what a tenant's memory keeps", () => {
  it("keeps memories for as long as history is kept, and then nothing at all", async () => {
    const { stub, at, write, listed, memory, tenant } = newMemory();
    await at(T0);
    await write({ text: "an old lesson" });
    await memory.state(tenant, {
      schema_version: "1.0",
      kind: "fact",
      topic: "t",
      text: "valid until superseded",
      tags: [],
    });
    const tidy = async (now: number) => {
      await at(now);
      await runDurableObjectAlarm(stub);
    };

    await tidy(T0 + 364 * DAY);
    expect(await listed()).toHaveLength(2);
    await tidy(T0 + 366 * DAY);
    const [fact, ...none] = await listed();
    expect([fact?.topic, none]).toEqual(["t", []]);

    await memory.remove(tenant, fact?.memory_id ?? "");
    await tidy(T0 + 367 * DAY);
    await tidy(T0 + 368 * DAY);
    // Whatever happened to the last alarm, it may come again.
    await runInDurableObject(stub, (_instance, { storage }) => storage.setAlarm(T0));
    await tidy(T0 + 369 * DAY);
    const left = await runInDurableObject(stub, async (_instance, { storage }) => [
      storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'memory'").toArray(),
      await storage.getAlarm(),
    ]);
    expect(left).toEqual([[], null]);
  });

  it("finds by words what another embedder made, and embeds it anew", async () => {
    const { stub, tenant, write, listed, recall } = newMemory();
    await write({ text: "Churn needs totals" });
    const other: Embedder = {
      name: "other",
      dims: 2,
      threshold: 0.9,
      embed: async (texts) => texts.map(() => Int8Array.of(127, 0)),
    };
    const hosted = newMemory(other);
    const ask = () => hosted.memory.list(tenant, { q: "churn", limit: 5 });

    const [first, second] = [await ask(), await ask()];

    expect(first).toMatchObject({ value: { items: [{ similarity: null }] } });
    expect(second).toMatchObject({ value: { items: [{ similarity: 1 }] } });
    expect(await listed()).toHaveLength(1);
    expect(await recall("churn")).toHaveLength(1);
    expect(stub).toBeDefined();
  });

  it("shows no other embedder what may not go everywhere, and finds it by words all the same", async () => {
    const seen: string[] = [];
    const hosted = newMemory({
      name: "hosted",
      dims: 2,
      threshold: 0.5,
      embed: async (texts) => {
        seen.push(...texts);
        return texts.map(() => Int8Array.of(127, 0));
      },
    });
    const bound = { locality: "local", region: null } as const;
    const inEurope = { locality: null, region: "eu" };
    const remember = (task_id: string, description: string, bounds = runOf().bounds) =>
      hosted.memory.remember(hosted.tenant, runOf({ task_id, description, bounds }));
    await remember("a", "The churn of the hospital", bound);
    await remember("b", "The churn of the bank", inEurope);
    await remember("c", "The churn of the shop");
    const ids = async (more = {}) =>
      (await hosted.recall("churn", more)).map(({ task_id }) => task_id ?? "").toSorted();

    const [asked, again] = [await ids(), await ids()];
    const quietly = await ids({ text: "churn of a clinic", bounds: bound });

    expect([asked, again, quietly]).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
    expect(seen).toEqual(["The churn of the shop", "churn", "churn"]);
  });

  it("gives a result again for a day, and keeps no more than has room", async () => {
    const { tenant, memory, at } = newMemory();
    const give = (key: string, completed: object, now: number) =>
      memory.cache(tenant, key, {
        task_id: key,
        at: new Date(now).toISOString(),
        completed: JSON.parse(JSON.stringify(completed)),
      });
    await at(T0 + 100);
    await give("large", { result: "x".repeat(300_000) }, T0);
    for (let index = 0; index < 70; index += 1) {
      await give(`k${index}`, { result: "x".repeat(250_000), index }, T0 + index);
    }
    const keysThere = async () => {
      const all = await Promise.all(
        Array.from({ length: 70 }, (_, index) => memory.cached(tenant, `k${index}`)),
      );
      return all.filter((entry) => entry !== null).length;
    };

    expect(await memory.cached(tenant, "large")).toBeNull();
    expect(await memory.cached(tenant, "k0")).toBeNull();
    expect(await memory.cached(tenant, "k69")).toMatchObject({
      task_id: "k69",
      completed: { index: 69 },
    });
    expect(await keysThere()).toBe(67);
    await at(T0 + 2 * DAY);
    expect(await memory.cached(tenant, "k69")).toBeNull();
  });
});
