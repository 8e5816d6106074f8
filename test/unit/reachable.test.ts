import { expect, it } from "vitest";

import { reachable } from "../../src/lib/reachable.ts";

it.each([
  ["ok", () => Promise.resolve(null)],
  ["unreachable", () => Promise.reject(new Error("down"))],
  ["slow", () => new Promise(() => {})],
] as const)("says %s of what answers, fails, or hangs", async (found, probe) => {
  expect(await reachable(found === "slow" ? 5 : 10_000, probe)).toBe(found);
});
