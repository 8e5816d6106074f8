import { describe, expect, it } from "vitest";

import { stillGoodBy } from "../../src/rest/channel/still-good.ts";

const HOLDER = { key_id: "k1", tenant: "acme", scopes: ["execute"] as const, isBootstrap: false };

describe("a key that something was opened with", () => {
  it("is good as long as somebody holds it", async () => {
    const known = new Set(["a-key"]);
    const keys = { principalOf: async (key: string) => (known.has(key) ? HOLDER : null) };
    const isStillGood = stillGoodBy(keys, "Bearer a-key");
    const before = await isStillGood();

    known.clear();

    expect([before, await isStillGood()]).toEqual([true, false]);
  });

  it("is good while nobody can be asked", async () => {
    const keys = { principalOf: () => Promise.reject(new Error("D1 is down")) };

    expect(await stillGoodBy(keys, "Bearer a-key")()).toBe(true);
  });

  it("cannot end where there is none", async () => {
    const keys = { principalOf: async () => null };

    expect(await stillGoodBy(keys, undefined)()).toBe(true);
  });
});
