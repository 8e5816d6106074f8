import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";

describe("an outcome", () => {
  it("is plain data: a value, or why not", () => {
    expect([ok(1), refuse({ code: "no" })]).toEqual([
      { ok: true, value: 1 },
      { ok: false, refusal: { code: "no" } },
    ]);
  });
});
