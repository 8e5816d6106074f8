import { describe, expect, it } from "vitest";

import { TIMED_OUT, withinLimit } from "../../src/lib/within-limit.ts";

describe("work within a limit", () => {
  it("gives what it gives, and is told when nobody waits any more", async () => {
    let heard: AbortSignal | undefined;

    const value = await withinLimit(1_000, async (signal) => {
      heard = signal;
      return signal.aborted ? "too late" : "in time";
    });

    expect(value).toBe("in time");
    expect(heard?.aborted).toBe(true);
  });

  it("is given up at its limit", async () => {
    expect(await withinLimit(5, () => new Promise(() => {}))).toBe(TIMED_OUT);
  });

  it("breaks as it breaks", async () => {
    await expect(withinLimit(1_000, () => Promise.reject(new Error("gone")))).rejects.toThrow(
      "gone",
    );
  });
});
