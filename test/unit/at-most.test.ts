import { expect, describe, it } from "vitest";

import { atMost } from "../../src/lib/at-most.ts";

describe("work that is done so many at a time", () => {
  it("waits in its order, and goes on after one that has failed", async () => {
    const enter = atMost(2);
    const begun: string[] = [];
    const [first, second] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    const works = [
      enter(() => (begun.push("first"), first.promise)),
      enter(() => (begun.push("second"), second.promise)),
      enter(async () => (begun.push("third"), "third")),
      enter(async () => (begun.push("fourth"), "fourth")),
    ];
    const ends = Promise.allSettled(works);
    await Promise.resolve();
    const atOnce = [...begun];
    second.reject(new Error("it fails"));
    await works[3];

    expect(atOnce).toEqual(["first", "second"]);
    expect(begun).toEqual(["first", "second", "third", "fourth"]);
    first.resolve("late");
    expect((await ends).map(({ status }) => status)).toEqual([
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
  });
});
