import { isDeepStrictEqual } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { dataAnalysis } from "../../src/executor/skills/data-analysis.ts";
import { documentation } from "../../src/executor/skills/documentation.ts";
import { general } from "../../src/executor/skills/general.ts";
import { research } from "../../src/executor/skills/research.ts";
import type { JsonObject, PureSkill } from "../../src/executor/skills/skill.ts";
import { runSkill } from "./skill-run.ts";

const cell = fc.oneof(
  fc.constantFrom(
    "",
    "NA",
    "-999",
    "0",
    "1",
    "yes",
    "2024-01-05",
    "05/06/2024",
    "1.234,5",
    "$3",
    '"',
  ),
  fc.integer().map(String),
  fc.double().map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.string({ maxLength: 12, unit: "grapheme" }),
);
const csv = fc
  .tuple(fc.constantFrom(",", ";", "\t", "|"), fc.array(fc.array(cell, { maxLength: 5 })))
  .map(([delimiter, rows]) => rows.map((row) => row.join(delimiter)).join("\n"));
const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonObject[string]>;
const measured = fc.array(
  fc.record({
    when: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    x: fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constantFrom(null, 1, 1 + Number.EPSILON, 1 - Number.EPSILON, 5e-324, 0.1 + 0.2, 0.3),
    ),
    y: fc.integer(),
    group: fc.constantFrom("a", "b", "c"),
  }),
  { maxLength: 60 },
);
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc
    .array(
      fc.constantFrom("the", "pump", "flows", "de", "agua", ".", "\n\n", "- ", "Dr.", "3.5", "¿"),
    )
    .map((words) => words.join(" ")),
);

/** The promises that the engine relies on and that a run broke. */
function faultsOf(skill: PureSkill, input: JsonObject, configuration: JsonObject): string[] {
  const { outcome, progress } = runSkill(skill, input, { configuration });
  const told = JSON.stringify(outcome);
  const percentages = progress.map((step) => step.progress_percentage);
  const { overall_score, criteria_scores } = outcome.ok
    ? outcome.value.quality
    : { overall_score: 0, criteria_scores: {} };
  const promises = {
    "progress never falls": percentages.every((share, at) => share >= (percentages[at - 1] ?? 0)),
    "estimates are whole seconds":
      Number.isInteger(skill.estimate(input)) && skill.estimate(input) >= 1,
    // What JSON cannot hold (NaN, undefined, infinities) does not survive the round trip.
    "outcomes are JSON": isDeepStrictEqual(JSON.parse(told), outcome),
    "scores are shares": [overall_score, ...Object.values(criteria_scores)].every(
      (score) => score >= 0 && score <= 1,
    ),
    "runs repeat": JSON.stringify(runSkill(skill, input, { configuration }).outcome) === told,
  };
  return Object.entries(promises).flatMap(([promise, kept]) => (kept ? [] : [promise]));
}

describe("skills keep their promises for any input", () => {
  it("data_analysis, for any CSV", () => {
    fc.assert(
      fc.property(csv, (given) => {
        expect(faultsOf(dataAnalysis, { csv: given }, {})).toEqual([]);
      }),
    );
  });

  it("data_analysis, for any measured rows, in sentences without holes", () => {
    fc.assert(
      fc.property(measured, (rows) => {
        expect(faultsOf(dataAnalysis, { rows }, {})).toEqual([]);
        const { outcome } = runSkill(dataAnalysis, { rows });
        const said = outcome.ok ? outcome.value.output["findings"] : outcome.refusal;
        expect(JSON.stringify(said)).not.toMatch(/NaN|undefined|Infinity|∞/);
      }),
    );
  });

  it("data_analysis, for any JSON and configuration", () => {
    const configuration = fc.record({ language: json, delimiter: json, has_header: json });
    const input = fc.dictionary(fc.constantFrom("csv", "rows", "url"), json);
    fc.assert(
      fc.property(input, configuration, (given, configured) => {
        expect(faultsOf(dataAnalysis, given, configured)).toEqual([]);
      }),
    );
  });

  it("general, for any text", () => {
    fc.assert(
      fc.property(text, (given) => {
        expect(faultsOf(general, { text: given }, {})).toEqual([]);
      }),
    );
  });

  it("general, for any JSON and configuration", () => {
    const configuration = fc.record({ max_terms: json, language: json }, { requiredKeys: [] });
    const input = fc.dictionary(fc.constantFrom("text", "documents"), json);
    fc.assert(
      fc.property(input, configuration, (given, configured) => {
        expect(faultsOf(general, given, configured)).toEqual([]);
      }),
    );
  });

  it("research, for any text and question", () => {
    const question = fc.oneof(text, fc.constantFrom("When did the pump flow?", "¿Cuánta agua?"));
    fc.assert(
      fc.property(text, question, (given, asked) => {
        expect(faultsOf(research, { text: given }, { question: asked })).toEqual([]);
      }),
    );
  });

  it("research, for any JSON and configuration", () => {
    const configuration = fc.record(
      { question: json, language: json, max_passages: json },
      { requiredKeys: [] },
    );
    const input = fc.dictionary(fc.constantFrom("text", "documents"), json);
    fc.assert(
      fc.property(input, configuration, (given, configured) => {
        expect(faultsOf(research, given, configured)).toEqual([]);
      }),
    );
  });

  it("research quotes what stands where it says, for any text", () => {
    fc.assert(
      fc.property(text, (given) => {
        const { outcome } = runSkill(
          research,
          { text: given },
          { description: "pump agua flows?" },
        );
        const told = JSON.stringify(outcome.ok ? outcome.value.output["answers"] : []);
        const quotes = told.matchAll(
          /"passage":("(?:[^"\\]|\\.)*"),"position":\{"start":(\d+),"end":(\d+)/g,
        );
        for (const [, quote = '""', start, end] of quotes) {
          expect(JSON.parse(quote)).toBe(given.slice(Number(start), Number(end)));
        }
      }),
    );
  });

  it("documentation, for any JSON and configuration", () => {
    const key = fc.constantFrom(
      ..."openapi info paths /a get parameters schema $ref $defs properties type oneOf allOf items enum description components schemas responses content __proto__".split(
        " ",
      ),
    );
    const value = fc.constantFrom(
      "3.1.0",
      "#",
      "#/$defs",
      "#/components/schemas/a",
      "object",
      "a|b `c` <d>",
    );
    const part = fc.dictionary(key, fc.oneof(json, value, fc.dictionary(key, value)));
    const nested = fc.dictionary(key, part);
    const input = fc.oneof(
      nested.map((schema) => ({ schema })),
      nested.map((document) => ({ openapi: { ...document, openapi: "3.0.1" } })),
      fc.dictionary(fc.constantFrom("openapi", "schema", "typescript", "text"), json),
    );
    const configuration = fc.record({ title: json, heading_level: json }, { requiredKeys: [] });
    fc.assert(
      fc.property(input, configuration, (given, configured) => {
        const document = JSON.parse(JSON.stringify(given)) as JsonObject;
        expect(faultsOf(documentation, document, configured)).toEqual([]);
        expect(faultsOf(documentation, document, {})).toEqual([]);
      }),
    );
  });

  it("documentation, for any pieces of TypeScript", () => {
    const words =
      "export |interface A |type B = |enum |class |function f|const x|namespace N |private |static |get |extends ".split(
        "|",
      );
    const marks = Array.from('{}()<>[];,:?=@#*/\n"`|\ud800a1');
    const piece = fc.constantFrom(
      ...words,
      ...marks,
      "=>",
      "...",
      "${",
      "/** d @param x y */",
      "//",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const typescript = pieces.join("");
        expect(faultsOf(documentation, { typescript }, {})).toEqual([]);
        expect(faultsOf(documentation, { typescript }, { include_private: true })).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
