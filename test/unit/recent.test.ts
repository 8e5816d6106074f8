import { describe, expect, it } from "vitest";

import { Recent } from "../../src/access/recent.ts";

const recentOf = (maxEntries: number) => new Recent<string>({ maxEntries, ttl_ms: 5_000 });

describe("what was looked up recently", () => {
  it("is remembered until its time is over", () => {
    const recent = recentOf(2);

    recent.put("a", "A", 0);

    expect([recent.get("a", 4_999), recent.get("a", 5_000)]).toEqual(["A", undefined]);
  });

  it("never grows beyond its bound and gives up the oldest first", () => {
    const recent = recentOf(2);

    for (const name of ["a", "b", "a", "c"]) recent.put(name, name, 0);

    expect(recent.size).toBe(2);
    expect(["a", "b", "c"].map((name) => recent.get(name, 1))).toEqual(["a", undefined, "c"]);
  });

  it("can be forgotten at once", () => {
    const recent = recentOf(2);
    recent.put("a", "A", 0);

    recent.forget("a");

    expect(recent.get("a", 1)).toBeUndefined();
  });
});
