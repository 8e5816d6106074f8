import { describe, expect, it } from "vitest";

import { remembered } from "../../src/lib/remembered.ts";

describe("what is remembered", () => {
  it("is read again once its time is over, each key by itself, and after a failure", async () => {
    let now = 0;
    let isDown = true;
    const reads: string[] = [];
    const read = remembered({ now: () => now, for_ms: 60_000, most: 2 }, async (key) => {
      if (isDown) throw new Error("D1 is down");
      reads.push(key);
      return reads.length;
    });

    await expect(read("one")).rejects.toThrow("down");
    isDown = false;
    expect(await read("one")).toBe(1);
    now = 59_999;
    expect([await read("one"), await read("other")]).toEqual([1, 2]);
    now = 60_000;
    expect(await read("one")).toBe(3);
    expect(reads).toEqual(["one", "other", "one"]);
  });

  it("is forgotten when there is too much of it", async () => {
    let reads = 0;
    const read = remembered({ now: () => 0, for_ms: 1, most: 1 }, async () => (reads += 1));

    await read("one");
    await read("other");

    expect([await read("other"), await read("one")]).toEqual([2, 3]);
  });
});
