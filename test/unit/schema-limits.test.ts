import { dereference, validate } from "@cfworker/json-schema";
import type { Schema } from "@cfworker/json-schema";
import { describe, expect, it } from "vitest";

import {
  isUsablePattern,
  longestTextFor,
  MOST_SEARCH_STEPS,
  patternsIn,
  stepsOf,
  unusableAmong,
} from "../../src/lib/pattern-limits.ts";
import { limitSteps } from "../../src/lib/step-limit.ts";

describe("the limits of patterns", () => {
  it.each([
    // One way for each character.
    ["^a+b*c{2,}$", 10_000],
    [String.raw`\d+`, 10_000],
    [String.raw`^\p{L}+$`, 10_000],
    [String.raw`^[\p{L} ]+-x`, 10_000],
    [String.raw`^https?://[^\s/$.?#].[^\s]*$`, 10_000],
    [String.raw`^\d+\.\d+\.\d+(-[a-z]+(\.\d+)*)?$`, 1_000],
    [String.raw`^([a-z]+\.)+[a-z]+$`, 1_000],
    ["^(foo|fob|bar)+$", 1_000],
    ["^.{0,255}$", 1_000],
    // Ways that grow with the square or the cube of the length.
    ["a+b", 1_000],
    [String.raw`^[^@\s]+@[^@\s]+\.[^@\s]+$`, 1_000],
    [String.raw`^\s+|\s+$`, 1_000],
    [".*foo.*bar.*", 200],
    ["^a*a*a*b", 200],
  ])("try %s on texts of %i characters", (pattern, length) => {
    expect(isUsablePattern(pattern)).toBe(true);
    expect(longestTextFor([pattern])).toBeGreaterThanOrEqual(length);
  });

  it.each([
    ["too long", "x".repeat(201)],
    ["no pattern", "("],
    ["the fourth power", "a*a*a*b"],
    ["bounds that multiply", "a{0,99}a{0,99}a{0,99}b"],
    ["a repetition in another", "(a+)+"],
    ["a repetition in another, in disguise", String.raw`^(\w+\s?)*$`],
    ["options that begin alike", "(a|a)*b"],
    ["options of several lengths", "(a|aa|aaa){1,22}b"],
    ["an option that is the others in a row", "^(foo|bar|foobar)+$"],
    ["what goes on with what it repeats", "(.*a){20}"],
    ["an empty option", "(|a)*b"],
    ["letters that are of a class of Unicode", String.raw`(\p{L}|é)*b`],
    ["half of one range in another", "([а-п]|[м-я])*b"],
    ["a look ahead that repeats", "(?=(a|a)*b)a"],
    ["a look behind that repeats", "(?<=(a|ab|b)*)c"],
    ["a group that changes flags", "(?i:a|A)*b"],
  ])("refuse %s: %s", (_why, pattern) => {
    expect(isUsablePattern(pattern)).toBe(false);
  });

  it.each([
    ["^a*a*a*b", "a"],
    ["a+a+b", "a"],
    [String.raw`^[^@\s]+@[^@\s]+\.[^@\s]+$`, "a@.."],
    ["(foo|fob)*x", "foo"],
    [".*foo.*bar.*", "foo"],
    ["a*(?!b)a*c", "a"],
    ["(?<=a*a)b|a+c", "a"],
    [String.raw`(a*)\1b`, "a"],
    ["(?:a{0,9}b?){3}c", "a"],
  ])("let the worst text for %s be tried in no time", (pattern, unit) => {
    const longest = longestTextFor([pattern]);
    const text = unit.repeat(longest).slice(0, longest);
    const startedAt = performance.now();

    expect(new RegExp(pattern, "u").test(text)).toBe(false);
    // A tenth of a second is meant; ten times that is for a busy machine. Beyond the limit they take minutes.
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it("give several patterns less room than each of them alone", () => {
    const patterns = ["a+b", "b+c"];

    expect(longestTextFor(patterns)).toBeLessThan(longestTextFor(["a+b"]));
    expect(stepsOf(patterns, longestTextFor(patterns))).toBeLessThanOrEqual(MOST_SEARCH_STEPS);
  });

  it("leave a schema 200 different ones", () => {
    const patterns = Array.from({ length: 201 }, (_, at) => `a${at}`);

    expect([...unusableAmong(["a0", "(a+)+", ...patterns])]).toEqual(["(a+)+", "a199", "a200"]);
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
      const document = Array.from({ length }, (_, at) => at);
      limitSteps(parts, 10, document);
      return validate(document, schema, "2020-12", parts, false).valid;
    };

    expect(judge(5)).toBe(true);
    expect(() => judge(50)).toThrow(RangeError);
  });

  it("counts a pattern by the steps that it may take, for each text", () => {
    const judge = (texts: readonly string[]): boolean => {
      const schema: Schema = { items: { pattern: "a+b" } };
      const parts = dereference(schema);
      limitSteps(parts, 200_000, texts);
      return validate(texts, schema, "2020-12", parts, false).valid;
    };

    expect(judge(Array.from({ length: 1_000 }, () => "aab"))).toBe(true);
    expect(judge(["a".repeat(2_000)])).toBe(false);
    expect(() => judge(Array.from({ length: 20 }, () => "a".repeat(2_000)))).toThrow(RangeError);
  });
});
