import { describe, expect, it } from "vitest";

import { providerIn } from "../../src/executor/models/blame.ts";
import type { ModelFaultClass } from "../../src/executor/models/model-port.ts";

describe("what a fault says of the provider", () => {
  it.each<[ModelFaultClass, number | null, "failed" | "answered" | null]>([
    ["rate_limited", 429, "failed"],
    ["unavailable", 503, "failed"],
    ["unavailable", null, "failed"],
    ["network", null, "failed"],
    ["unauthorized", 401, "failed"],
    ["timeout", 408, "failed"],
    // The answer stalled.
    ["timeout", null, "failed"],
    // No such model, an account that can't pay, a page of HTML, a redirect.
    ["rejected", 404, "failed"],
    ["rejected", 402, "failed"],
    ["rejected", 200, "failed"],
    ["rejected", 302, "failed"],
    ["rejected", 400, "answered"],
    ["rejected", 422, "answered"],
    ["too_long", 400, "answered"],
    ["filtered", 400, "answered"],
    ["filtered", null, "answered"],
    ["bad_output", 200, "answered"],
    ["cut_off", null, "answered"],
    // Nothing was sent.
    ["rejected", null, null],
    ["too_long", null, null],
    ["aborted", null, null],
  ])("is, of %s with status %s, %s", (fault, status, said) => {
    expect(providerIn({ class: fault, status })).toBe(said);
  });

  it("is nothing where a task's own time was short, unless the provider was silent for two minutes", () => {
    const late = { class: "timeout", status: null } as const;

    expect(providerIn({ ...late, silent_ms: 0 })).toBeNull();
    expect(providerIn({ ...late, silent_ms: 119_999 })).toBeNull();
    expect(providerIn({ ...late, silent_ms: 120_000 })).toBe("failed");
  });
});
