import { describe, expect, it } from "vitest";

import { faultsOf } from "../../src/protocol/faults.ts";
import { filterTestSchema, recoveryRequestSchema } from "../../src/protocol/webhook-operations.ts";

const SINCE = "2026-11-22T10:00:00Z";

function pointersOf(request: unknown): string[] {
  const { error } = recoveryRequestSchema.safeParse(request);
  return error === undefined ? [] : faultsOf(error, request).map(({ pointer }) => pointer);
}

describe("a recovery", () => {
  it("is of exhausted deliveries up to now unless it says otherwise", () => {
    expect(recoveryRequestSchema.parse({ since: SINCE })).toEqual({
      schema_version: "2.0",
      since: SINCE,
      state: "exhausted",
      dry_run: false,
    });
  });

  it.each([
    ["no beginning", {}, "/since"],
    ["an end before its beginning", { since: SINCE, until: "2026-11-22T09:00:00Z" }, "/until"],
    ["a state that nothing is recovered from", { since: SINCE, state: "pending" }, "/state"],
  ])("is refused with %s", (_what, request, pointer) => {
    expect(pointersOf(request)).toEqual([pointer]);
  });
});

describe("a filter test", () => {
  it("needs no more than the type of the sample", () => {
    const request = filterTestSchema.parse({ sample: { type: "task_failed" } });

    expect(request.events).toEqual(["all"]);
    expect(request.sample).toMatchObject({ task_type: "general", priority: "normal", tags: [] });
  });
});
