import { describe, expect, it } from "vitest";

import { isShardName, shardOfNew, unboundOf } from "../../src/history/shards/shards.ts";
import { spread } from "../../src/lib/spread.ts";

describe("the database of a new tenant's history", () => {
  it("is one of those that take new tenants, each as often as another", () => {
    const open = ["DB", "DB_1", "DB_2"];
    const counts = new Map(open.map((name) => [name, 0]));
    for (let tenant = 0; tenant < 3_000; tenant += 1) {
      const shard = shardOfNew(`tenant-${tenant}`, open);
      counts.set(shard, (counts.get(shard) ?? 0) + 1);
    }

    expect([...counts.keys()]).toEqual(open);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  it("is DB where none is named", () => {
    expect(shardOfNew("acme", [])).toBe("DB");
  });

  it.each([
    ["DB", true],
    ["DB_1", true],
    ["DB_40", true],
    ["DB_0", false],
    ["DB_01", false],
    ["DBX", false],
    ["METER", false],
  ])("may be the one that is bound as %s: %s", (name, isOne) => {
    expect(isShardName(name)).toBe(isOne);
  });

  it("is missed where it is needed and not bound, once and by name", () => {
    expect(unboundOf(["DB_2", "DB", "DB_1", "DB_2"], ["DB"])).toEqual(["DB_1", "DB_2"]);
  });
});

describe("spreading", () => {
  it.each([
    ["", 4, 1],
    ["t-1", 4, 2],
    ["november-sales", 16, 13],
  ])("%j over %i parts stays at %i", (text, parts, part) => {
    expect(spread(text, parts)).toBe(part);
  });
});
