import { dereference, validate } from "@cfworker/json-schema";
import type { Schema } from "@cfworker/json-schema";
import { describe, expect, it } from "vitest";

import { isUsablePattern, longestTextFor, patternsIn } from "../../src/lib/pattern-limits.ts";
import { limitSteps } from "../../src/lib/step-limit.ts";

describe("the limits of patterns", () => {
  it.each([
    ["^a+b*c{2,}$", true],
    ["a+b+c+d+", false],
    [String.raw`[+*]\+x+y+z+`, true],
    ["x".repeat(201), false],
    ["(", false],
  ])("judge %s: %s", (pattern, isUsable) => {
    expect(isUsablePattern(pattern, () => true)).toBe(isUsable);
    expect(isUsablePattern(pattern, () => false)).toBe(false);
  });

  it("give a text less room when a pattern repeats more than once", () => {
    expect([longestTextFor(["a+"]), longestTextFor(["a+", "b+c+"])]).toEqual([10_000, 1_000]);
  });

  it("find the patterns of a schema, and the names that are patterns", () => {
    const schema = {
      pattern: 1,
      properties: { a: { pattern: "x" } },
      patternProperties: { y: {} },
    };

    expect(patternsIn(schema)).toEqual(["x", "y"]);
  });
});

describe("the limit of steps", () => {
  it("stops a judgement that applies more parts than it may", () => {
    const judge = (length: number): boolean => {
      const schema: Schema = { items: { type: "number" } };
      const parts = dereference(schema);
      limitSteps(parts, 10);
      const document = Array.from({ length }, (_, at) => at);
      return validate(document, schema, "2020-12", parts, false).valid;
    };

    expect(judge(5)).toBe(true);
    expect(() => judge(50)).toThrow(RangeError);
  });
});
