import { isDeepStrictEqual } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { codeDebugging } from "../../src/executor/skills/code-debugging.ts";
import { codeGeneration } from "../../src/executor/skills/code-generation.ts";
import { configuration } from "../../src/executor/skills/configuration.ts";
import type { JsonObject, JsonValue, PureSkill } from "../../src/executor/skills/skill.ts";
import { runSkill } from "./skill-run.ts";

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
const piece = fc.constantFrom(
  ..."{ } [ ] : , \" ' ` # // /* */ \\ \n \t = & * - | > ! ? % @ $ a 1 true null <<: --- at Error: Caused".split(
    " ",
  ),
  "\n",
  "\n  ",
  "\n\t",
  "  at f (a.js:1:2)\n",
  '  File "x", line 1, in f\n',
  "Traceback (most recent call last):\n",
  "panic: x\n",
  "\u2028",
  "__proto__",
  "def f(x):\n",
);
const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""));
const schema = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    fc.boolean(),
    json,
    fc.dictionary(
      fc.constantFrom(
        "type",
        "properties",
        "items",
        "$ref",
        "anyOf",
        "allOf",
        "enum",
        "required",
        "additionalProperties",
        "title",
        "description",
        "prefixItems",
        "pattern",
        "nullable",
      ),
      fc.oneof(
        tie("any"),
        fc.array(tie("any"), { maxLength: 2 }),
        fc.constantFrom("object", "array", "string", "#", "#/properties", "*/ x", '"""'),
        fc.dictionary(text, tie("any"), { maxKeys: 2 }),
      ),
      { maxKeys: 4 },
    ),
  ),
})).any as fc.Arbitrary<JsonValue>;

/** Promises of a skill that a run broke; see skill-properties.test.ts. */
function brokenPromises(skill: PureSkill, input: JsonObject, configured: JsonObject): string[] {
  const { outcome, progress } = runSkill(skill, input, { configuration: configured });
  const told = JSON.stringify(outcome);
  const scores = outcome.ok
    ? [outcome.value.quality.overall_score, ...Object.values(outcome.value.quality.criteria_scores)]
    : [];
  const again = runSkill(skill, input, { configuration: configured }).outcome;
  const lack =
    skill.lack?.({ description: "", input_data: input, configuration: configured }) ?? "";
  const kept = {
    "outcomes are JSON": isDeepStrictEqual(JSON.parse(told), JSON.parse(JSON.stringify(again))),
    "no hole is told":
      !/\bundefined\b|NaN/.test(
        outcome.ok ? outcome.value.summary : outcome.refusal.error_message,
      ) || /undefined|NaN/.test(JSON.stringify(input)),
    "scores are shares": scores.every((score) => score >= 0 && score <= 1),
    "progress rises": progress.every(
      ({ progress_percentage }, at) =>
        progress_percentage >= (progress[at - 1]?.progress_percentage ?? 0),
    ),
    "lack is a sentence": typeof lack === "string",
    "estimates are whole seconds":
      Number.isInteger(skill.estimate(input)) && skill.estimate(input) >= 1,
  };
  return Object.entries(kept).flatMap(([promise, isKept]) => (isKept ? [] : [promise]));
}

const configurations = fc.record(
  {
    operation: fc.constantFrom("validate", "merge", "diff", "convert"),
    to: fc.constantFrom("json", "yaml", "toml", "env", "properties"),
    mode: fc.constantFrom("deep", "merge_patch", "json_patch"),
    arrays: fc.constantFrom("replace", "append", "by_key"),
    target: fc.constantFrom("typescript", "zod", "python", "go", "json_schema"),
    format: fc.constantFrom("json", "yaml", "toml", "env", "properties"),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;
const document = fc.oneof(
  text,
  fc.record({ name: fc.constantFrom("a.json", "b.yaml", "c.toml", "d.env", "e.properties"), text }),
  fc.record({ value: json }),
  json,
);

describe("skills on given work keep their promises for any input", () => {
  it("configuration", () => {
    const input = fc.record(
      { documents: fc.array(document, { maxLength: 3 }), schema: fc.oneof(schema, text) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(input, configurations, (given, configured) => {
        expect(brokenPromises(configuration, given as JsonObject, configured)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("code_debugging", () => {
    const value = fc.oneof(text, json);
    const input = fc.dictionary(
      fc.constantFrom("error", "stack_trace", "log", "text", "name", "files"),
      value,
    );
    fc.assert(
      fc.property(input, configurations, (given, configured) => {
        expect(brokenPromises(codeDebugging, given, configured)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("code_generation", () => {
    const input = fc.oneof(
      fc.record({ schema }),
      fc.record({ openapi: fc.record({ components: fc.record({ schemas: schema }) }) }),
      fc.record({ examples: fc.array(json) }),
      json,
    );
    fc.assert(
      fc.property(input, configurations, (given, configured) => {
        const fields =
          typeof given === "object" && given !== null && !Array.isArray(given)
            ? (given as JsonObject)
            : {};
        expect(brokenPromises(codeGeneration, fields, configured)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("a mebibyte of hostile text", () => {
  const units = [
    "[",
    '{"a":',
    "'",
    '"""',
    "`${",
    "a ",
    " at ",
    "\tat a.b(",
    "(",
    "/*",
    "\\",
    "#",
    "&a *a ",
    "- ",
    "x.",
    "Error: ",
    "ERROR a\n",
    "Caused by: a\n",
    "  at f (a.js:1:2)\n",
    '  File "x", line 1\n',
    "panic: x\n",
    "\n",
    "<<<<<<< a\n",
    "\t",
    "\u2028",
    "A.",
    "$",
    "@:",
    "0",
    "=",
    "key=\\\n",
    "[[a]]\n",
    ",",
    "\uFEFF",
  ];

  // Two orders of magnitude below what an exponential or quadratic pattern takes on this much.
  it.each(units)(
    "%j over and over takes seconds at most",
    (unit) => {
      const hostile = unit.repeat(Math.floor(1_048_576 / unit.length));
      const part = hostile.slice(0, 131_072);
      const started = performance.now();
      runSkill(codeDebugging, { text: hostile });
      for (const name of ["a.py", "a.ts", "a.rs", "a.json"])
        runSkill(codeDebugging, { text: part, name });
      for (const format of ["json", "yaml", "toml", "env", "properties"]) {
        const input = { document: { text: part, format } };
        runSkill(configuration, input, { configuration: { operation: "validate" } });
      }

      expect(performance.now() - started).toBeLessThan(15_000);
    },
    60_000,
  );
});
