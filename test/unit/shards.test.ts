import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { endpointName, shardOf, shardsOf, webhookIdOf } from "../../src/delivery/shards.ts";

const ID = "0123456789ABCDEFGHIJkl";

describe("the shard of a source", () => {
  it("is one of the endpoint's, and always the same", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(1, 2, 4, 8, 16), (source, shards) => {
        const shard = shardOf(source, shards);

        expect(Number.isInteger(shard) && shard >= 0 && shard < shards).toBe(true);
        expect(shardOf(source, shards)).toBe(shard);
      }),
    );
  });

  it("is as often one as another", () => {
    const counts = [0, 0, 0, 0, 0, 0, 0, 0];
    for (let task = 0; task < 8_000; task += 1) {
      const shard = shardOf(`task-${task}`, 8);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }

    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it.each([
    ["", 4, 1],
    ["t-1", 4, 2],
    ["november-sales", 16, 13],
  ])("of %j among %i stays %i: what is stored must be found", (source, shards, shard) => {
    expect(shardOf(source, shards)).toBe(shard);
  });
});

describe("the id of an endpoint", () => {
  it.each([1, 2, 4, 8, 16])("tells that it has %i objects", (shards) => {
    expect(shardsOf(webhookIdOf(ID, shards))).toBe(shards);
  });

  it("of a callback, or none at all, means one", () => {
    expect([shardsOf(`cb_${ID}`), shardsOf("nonsense")]).toEqual([1, 1]);
  });

  it("names its objects, the first by itself", () => {
    expect([endpointName("a", "wh_x", 0), endpointName("a", "wh_x", 3)]).toEqual([
      "a/wh_x",
      "a/wh_x#3",
    ]);
  });
});
