import { dereference, validate } from "@cfworker/json-schema";
import type { Schema } from "@cfworker/json-schema";
import { describe, expect, it } from "vitest";

import {
  isUsablePattern,
  longestTextFor,
  patternsIn,
  readyPattern,
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
    ["a+b", 10_000],
    [String.raw`^\s+|\s+$`, 10_000],
    [String.raw`^\S+@\S+\.\S+$`, 900],
    ["^(.+), (.+), (.+)$", 900],
    [".*foo.*bar.*", 500],
    ["^a*a*a*b", 900],
    // What begins with several characters does not begin everywhere.
    ["## Summary[\\s\\S]*## Risks", 10_000],
    ["# .*Reference", 10_000],
    ["error.*timeout", 10_000],
  ])("try %s on texts of %i characters", (pattern, length) => {
    expect(isUsablePattern(pattern)).toBe(true);
    expect(longestTextFor(pattern)).toBeGreaterThanOrEqual(length);
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
    ["fofx.*bar.*baz", "fofx"],
    ["a*(?!b)a*c", "a"],
    ["(?<=a*a)b|a+c", "a"],
    [String.raw`(a*)\1b`, "a"],
    ["(?:a{0,9}b?){3}c", "a"],
  ])("let the worst text for %s be tried in no time", (pattern, unit) => {
    const longest = longestTextFor(pattern);
    const text = unit.repeat(longest).slice(0, longest);
    const before = process.cpuUsage();

    expect(readyPattern(pattern).test(text)).toBe(false);
    // Half a second is meant, of a processor that is not this one. Interpreted they take five, beyond the limit minutes.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(2_500);
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
  const judge = (schema: Schema, most: number, document: unknown): boolean => {
    const root = structuredClone(schema);
    const parts = dereference(root);
    const counted = limitSteps(parts, most, document);
    return validate(counted, root, "2020-12", parts, false).valid;
  };

  it("stops a judgement that applies more parts than it may", () => {
    const numbers = (length: number) => Array.from({ length }, (_, at) => at);

    expect(judge({ items: { type: "number" } }, 10, numbers(5))).toBe(true);
    expect(() => judge({ items: { type: "number" } }, 10, numbers(50))).toThrow(RangeError);
  });

  it("counts a pattern by the steps that it may take, for each text that it meets", () => {
    const schema: Schema = { items: { pattern: "a+b" } };
    const long = "a".repeat(2_000);

    expect(judge(schema, 20_000, ["aab", ...Array<string>(1_000).fill("ab")])).toBe(true);
    expect(judge(schema, 20_000, [long])).toBe(false);
    expect(() => judge(schema, 20_000, Array<string>(10).fill(long))).toThrow(RangeError);
  });

  it.each<[string, Schema]>([
    ["a reference from another", { allOf: [{ $ref: "#/$defs/t" }, { $ref: "#/$defs/t" }] }],
    ["a list", { items: { $ref: "#/$defs/t" }, contains: { $ref: "#/$defs/t" } }],
    ["a name", { propertyNames: { $ref: "#/$defs/t" } }],
    ["a pattern of names", { patternProperties: { "a+b": {} } }],
  ])("counts them behind %s", (_where, schema) => {
    const long = "a".repeat(5_000);
    const documents = [long, [long], { [long]: 1 }];
    const rooted: Schema = { $defs: { t: { pattern: "a+b" } }, ...schema };

    const stopped = documents.filter((document) => {
      try {
        judge(rooted, 1_000, document);
        return false;
      } catch (cause) {
        return cause instanceof RangeError;
      }
    });

    expect(stopped).toHaveLength(1);
  });

  it("refuses a search in a text that is too long for it, and counts no text that it does not meet", () => {
    const schema: Schema = {
      anyOf: [
        { type: "object", properties: { report: { type: "string" } } },
        { pattern: String.raw`^\S+@\S+\.\S+$` },
      ],
    };

    expect(judge(schema, 1_000, Object.freeze({ report: "x".repeat(50_000) }))).toBe(true);
    expect(() => judge(schema, 1_000, "x".repeat(2_000))).toThrow(/up to \d+ characters/);
  });

  const text = "two words ".repeat(1_000);
  const rows = (value: string) => Array.from({ length: 100 }, (_, at) => `${value}${at}`);
  it.each<[string, string, string[]]>([
    ["addresses of mail", String.raw`^[^@\s]+@[^@\s]+\.[^@\s]+$`, rows("ada@example.org")],
    ["addresses of mail, loosely", String.raw`^\S+@\S+\.\S+$`, rows("ada@mail.example.org")],
    ["slugs", "^[a-z0-9]+(-[a-z0-9]+)*$", rows("a-quite-long-name-of-a-page-")],
    [
      "UUIDs",
      "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
      rows("0b5c1e2a-0000-4000-8000-00000000000a"),
    ],
    ["dates", String.raw`^\d{4}-\d{2}-\d{2}`, rows("2026-11-26T")],
    ["versions", String.raw`^v?\d+\.\d+\.\d+(-[\w.]+)?$`, rows("1.20.3")],
    ["addresses", String.raw`^https?://[^\s/$.?#].[^\s]*$`, rows("https://example.org/a/b?c=")],
    ["base64", "^[A-Za-z0-9+/]*={0,2}$", ["0", "1", "2"].map((digit) => digit.repeat(9_000))],
    ["lists of three", "^(.+), (.+), (.+)$", rows("Lovelace, Ada, Countess ")],
    ["telephone numbers", String.raw`^\+?[\d ()-]{6,20}$`, rows("+47 22 00 00 0")],
    ["one long line", String.raw`^\S+( \S+)*$`, ["word ".repeat(1_999) + "end"]],
  ])("leaves room for %s beside a long text", (_what, pattern, values) => {
    const schema: Schema = {
      properties: { text: { type: "string" }, values: { items: { pattern } } },
    };

    expect(judge(schema, 200_000, { text, values })).toBe(true);
  });

  it("leaves room for many names, and for lists without doubles", () => {
    const names = Array.from({ length: 5_000 }, (_, at) => [`metric-name-number-${at}`, at]);
    const schema: Schema = {
      patternProperties: { "^[a-z0-9]+(-[a-z0-9]+)*$": { type: "number" } },
      additionalProperties: false,
    };
    const unique: Schema = { uniqueItems: true, items: { pattern: "^name" } };

    expect(judge(schema, 500_000, Object.fromEntries(names))).toBe(true);
    expect(
      judge(
        unique,
        500_000,
        names.slice(0, 1_000).map(([name]) => `name ${name}`),
      ),
    ).toBe(true);
  });
});
