import { describe, expect, it } from "vitest";

import { Searches } from "../../src/lib/searches.ts";
import { contractFaults, unmetBy, valueAt } from "../../src/task/machine/gates.ts";
import {
  IN_PHASE,
  UNBORN,
  completed,
  live,
  refusalOf,
  request,
  stateOf,
  step,
  submit,
} from "../task-life.ts";

const RESULT = { title: "Report", score: 7, tags: ["a", "b"], findings: [{ title: "First" }] };

describe("a path into the result", () => {
  it.each([
    ["$", RESULT],
    ["score", 7],
    ["$.score", 7],
    ["findings[0].title", "First"],
    ["tags.1", "b"],
    ["findings[3].title", undefined],
    ["title.length", undefined],
    ["constructor", undefined],
  ])("%s leads to its value", (path, expected) => {
    expect(valueAt(RESULT, path)).toEqual(expected);
  });
});

describe("an acceptance check", () => {
  it.each([
    ["eq", "score", 7, true],
    ["eq", "score", "7", false],
    ["eq", "tags", ["a", "b"], true],
    ["eq", "missing", null, false],
    ["ne", "score", 8, true],
    ["ne", "score", 7, false],
    ["gt", "score", 6, true],
    ["gt", "score", 7, false],
    ["gte", "score", 7, true],
    ["lt", "score", 8, true],
    ["lt", "score", 7, false],
    ["lte", "score", 7, true],
    ["gt", "title", 6, false],
    ["gt", "missing", 6, false],
    ["lt", "title", "Z", true],
    ["in", "score", [1, 7], true],
    ["in", "score", [1, 2], false],
    ["in", "score", 7, false],
    ["exists", "title", undefined, true],
    ["exists", "missing", undefined, false],
    ["exists", "missing", false, true],
    ["matches", "title", "^Rep", true],
    ["matches", "title", "^rep", false],
    ["matches", "score", "7", false],
  ] as const)("%s %s %j is %s", (op, json_path, value, expected) => {
    const unmet = unmetBy({ name: "check", json_path, op, value }, RESULT, new Searches());

    expect(unmet === null).toBe(expected);
  });

  it.each([
    String.raw`\d+%`,
    String.raw`## Summary[\s\S]*## Risks`,
    "# .*Reference",
    "^# .+",
    String.raw`https?://\S+\.\S+`,
    String.raw`\w+@\w+\.\w+`,
    String.raw`\bRisks\b`,
    String.raw`(?:\d+\.){2}\d+`,
  ])("finds %s in a page of Markdown, together with others", (value) => {
    const page =
      "# API Reference\n## Summary\n" +
      "All is well, says ada@example.org of https://example.org/x in 1.2.3. ".repeat(130) +
      "\n## Risks\n12% of all.";
    const check = { name: "page", json_path: "$", op: "matches", value } as const;
    const searches = new Searches();

    expect(page.length).toBeGreaterThan(8_900);
    expect([1, 2, 3, 4].map(() => unmetBy(check, page, searches))).toEqual([
      null,
      null,
      null,
      null,
    ]);
  });

  it("says how much of a long text was searched", () => {
    const check = { name: "long", json_path: "$", op: "matches", value: "x$" } as const;

    expect(unmetBy(check, `${"y".repeat(10_000)}x`, new Searches())?.received).toMatch(
      /^found in none of the first 10000 of 10001 characters, the most for this pattern: "yyy/,
    );
  });
});

describe("a completed task", () => {
  const contract = {
    output_schema: {
      type: "object",
      required: ["answer"],
      properties: { answer: { type: "number" } },
    },
    acceptance: [{ name: "large", json_path: "answer", op: "gte", value: 40 }],
  };

  it("is refused with every finding, and a better result is welcome", () => {
    const life = IN_PHASE.executing({ contract });

    const { life: after, done } = step(
      life,
      completed({ result: { answer: "many" }, quality_assessment: { overall_score: 0.5 } }),
    );

    expect(refusalOf(done)).toBe("result_rejected");
    const errors = done.decision.ok ? [] : (done.decision.refusal.errors ?? []);
    expect(errors.map(({ code }) => code)).toEqual(
      expect.arrayContaining(["output_schema", "acceptance", "quality_threshold"]),
    );
    expect(after.state).toEqual(life.state);
    expect(stateOf(live(after, completed())).verdict?.reason).toBe("success");
  });

  it.each([
    [0.9, 0.9, null],
    [0.9, 0.89, "result_rejected"],
    [0, 0, null],
  ])("with threshold %d and score %d: %s", (quality_threshold, overall_score, code) => {
    const life = IN_PHASE.executing({ execution_options: { quality_threshold } });

    const { done } = step(life, completed({ quality_assessment: { overall_score } }));

    expect(refusalOf(done)).toBe(code);
  });

  it("is refused, not broken, by a schema that fails on its result", () => {
    const schema = { dependentRequired: { answer: 5 } };
    const life = IN_PHASE.executing({ contract: { output_schema: schema } });

    expect(refusalOf(step(life, completed()).done)).toBe("result_rejected");
  });
});

describe("a contract", () => {
  const faultsOf = (contract: object) =>
    contractFaults(request({ contract })).map(({ pointer, code }) => [pointer, code]);

  it.each([
    ["a plain schema", { output_schema: { type: "object" } }],
    [
      "a reference that leads somewhere",
      { output_schema: { $defs: { a: {} }, $ref: "#/$defs/a" } },
    ],
    [
      "a recursive schema",
      { output_schema: { properties: { children: { type: "array", items: { $ref: "#" } } } } },
    ],
    ["a field called pattern", { output_schema: { properties: { pattern: { type: "string" } } } }],
    ["a safe pattern", { output_schema: { pattern: "^a+$" } }],
  ])("with %s is accepted", (_title, contract) => {
    expect(faultsOf(contract)).toEqual([]);
  });

  it.each([
    ["a reference to nothing", { properties: { a: { $ref: "#/$defs/missing" } } }],
    ["a reference to the outside", { properties: { a: { $ref: "https://example.com/a.json" } } }],
    ["a reference to itself", { properties: { a: { $ref: "#/properties/a" } } }],
  ])("with %s is refused when it comes in", (_title, output_schema) => {
    expect(faultsOf({ output_schema })).toEqual([["/contract/output_schema", "invalid_schema"]]);
  });

  it.each([
    [{ type: "nonsense" }, "/type"],
    [{ type: 5 }, "/type"],
    [{ required: "n" }, "/required"],
    [{ properties: 5 }, "/properties"],
    [{ properties: { a: { enum: 5 } } }, "/properties/a/enum"],
    [{ minimum: "x" }, "/minimum"],
    [{ allOf: [{ minLength: -1 }] }, "/allOf/0/minLength"],
    [{ items: "x" }, "/items"],
  ])("with the malformed output_schema %j is refused at its place", (output_schema, place) => {
    expect(faultsOf({ output_schema }).map(([pointer]) => pointer)).toEqual([
      `/contract/output_schema${place}`,
    ]);
  });

  it.each(["a*a*a*a*b", "x+x+x+x+", "a*a*a*b"])(
    "with the pattern %s, which can take very long, is refused",
    (pattern) => {
      expect(faultsOf({ output_schema: { pattern } })).toEqual([
        ["/contract/output_schema/pattern", "unsafe_pattern"],
      ]);
    },
  );

  it.each([
    [{ output_schema: { pattern: "(a+)+$" } }, "/contract/output_schema/pattern"],
    [
      { output_schema: { properties: { "a/b": { pattern: "(" } } } },
      "/contract/output_schema/properties/a~1b/pattern",
    ],
    [
      { output_schema: { patternProperties: { "(x*)*": {} } } },
      "/contract/output_schema/patternProperties",
    ],
    [
      { acceptance: [{ name: "a", json_path: "$", op: "matches", value: "(a|a)*(a|a)*(b+)+" }] },
      "/contract/acceptance/0/value",
    ],
    [
      { acceptance: [{ name: "a", json_path: "$", op: "matches", value: "a".repeat(201) }] },
      "/contract/acceptance/0/value",
    ],
  ])("with an unsafe pattern is refused: %j", (contract, pointer) => {
    expect(faultsOf(contract)).toEqual([[pointer, "unsafe_pattern"]]);
  });

  it("that cannot be checked keeps the task out, with every fault", () => {
    const contract = { output_schema: { required: 5 } };

    const { life, done } = step(UNBORN, submit(request({ contract })));

    expect(refusalOf(done)).toBe("validation_failed");
    expect(life.state).toBeNull();
  });
});
