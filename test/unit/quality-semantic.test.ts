import { describe, expect, it } from "vitest";

import { assess } from "../../src/executor/quality/assess.ts";
import type { QualityQuestion } from "../../src/executor/quality/assessment.ts";
import { constraintsOf } from "../../src/executor/quality/meaning/constraints.ts";
import { codesOf, questionOf } from "./quality-question.ts";

const LIGHTHOUSE = "Explain how the lighthouse of Alexandria was built and why it fell";
const ON_TOPIC =
  "The lighthouse of Alexandria was built under Ptolemy II around 280 BC from limestone and granite. Earthquakes damaged it between 956 and 1323; it finally fell, and its stones went into the citadel of Qaitbay.";
const OFF_TOPIC =
  "To cook pasta, bring plenty of salted water to the boil, add the pasta, and stir from time to time until it is tender but firm. Drain it and serve it with a sauce of tomatoes.";

/** Blocking codes and all codes of the look at the meaning. */
function meaningOf(given: Partial<QualityQuestion>) {
  const found = assess(questionOf(given)).findings.filter(({ check }) => check === "semantic");
  return {
    blocking: codesOf(found.filter(({ is_blocking }) => is_blocking)),
    advice: codesOf(found.filter(({ is_blocking }) => !is_blocking)),
  };
}

const answered = (description: string, answer: string, more: Partial<QualityQuestion> = {}) =>
  meaningOf({ description, output: { answer }, ...more });

describe("an off-topic output", () => {
  it("fails although it is well-formed", () => {
    const good = assess(questionOf({ description: LIGHTHOUSE, output: { answer: ON_TOPIC } }));
    const bad = assess(questionOf({ description: LIGHTHOUSE, output: { answer: OFF_TOPIC } }));

    expect(good.findings).toEqual([]);
    expect(good.overall_score).toBeGreaterThanOrEqual(0.9);
    expect(bad.parts.syntactic).toBe(1);
    expect(bad.findings).toContainEqual(
      expect.objectContaining({ code: "off_topic", is_blocking: true }),
    );
    expect(bad.overall_score).toBeLessThan(0.8);
  });

  it("is told from one in other words by the terms of what the task brought", () => {
    const description = "Condense the attached minutes, please";
    const input_data = {
      text: "The pump station in Harlem lost pressure. The pump station was restarted by the night shift. Pressure in the pump station is normal.",
    };

    expect(
      answered(description, "The Harlem station lost pressure and was restarted at night.", {
        input_data,
      }).blocking,
    ).toEqual([]);
    expect(
      answered("Condense minutes about turbines and boilers", OFF_TOPIC, { input_data }).blocking,
    ).toEqual(["off_topic"]);
  });

  it("is recognised in code by the words inside identifiers", () => {
    const description = "Write a function that parses an invoice and sums its amounts";
    const code = (content: string) => ({
      files: [{ path: "a.ts", language: "typescript", content }],
      explanation: "Reads it and adds it all up, line by line.",
    });
    const ask = (content: string) =>
      meaningOf({ task_type: "code_generation", description, output: code(content) });

    expect(
      ask(
        "export function parseInvoice(invoice_text: string) {\n  return sumAmounts(invoice_text);\n}",
      ).blocking,
    ).toEqual([]);
    expect(
      ask(
        "export function drawCircle(radius: number) {\n  return canvas.circle(radius, colour);\n}",
      ).blocking,
    ).toEqual(["off_topic"]);
  });

  it("is not claimed of a short answer, nor of one in a language asked for", () => {
    expect(answered("How many planets does the solar system have?", "Eight.").blocking).toEqual([]);
    expect(
      answered(
        `${LIGHTHOUSE}, in Spanish`,
        "El faro se construyó en tiempos de Ptolomeo II con piedra caliza y granito, y los terremotos lo dañaron hasta que cayó del todo.",
      ).blocking,
    ).toEqual([]);
  });

  it("works in Spanish", () => {
    const description = "Explica cómo se construyó el faro de Alejandría y por qué se derrumbó";

    expect(
      answered(
        description,
        "El faro de Alejandría fue construido en piedra caliza por orden de Ptolomeo, y varios terremotos lo derrumbaron.",
      ).blocking,
    ).toEqual([]);
    expect(
      answered(
        description,
        "Para cocer la pasta hay que hervir agua con sal y remover de vez en cuando hasta que esté en su punto.",
      ).blocking,
    ).toEqual(["off_topic"]);
  });
});

describe("demands of a description", () => {
  it.each<[string, unknown]>([
    [
      "Write at least three examples of recursion",
      { kind: "count", unit: "items", noun: "example", least: 3, most: null, is_firm: true },
    ],
    [
      "Summarise it in 100 words or less",
      { kind: "count", unit: "words", least: null, most: 100, is_firm: true },
    ],
    [
      "Describe the pump in no more than two sentences",
      { unit: "sentences", least: null, most: 2, is_firm: true },
    ],
    ["Give exactly 5 bullet points about it", { unit: "items", least: 5, most: 5 }],
    ["Resume el informe en un máximo de 50 palabras", { unit: "words", least: null, most: 50 }],
    ["Escribe al menos dos párrafos sobre el agua", { unit: "paragraphs", least: 2, most: null }],
    ["Explain the report in Spanish", { kind: "language", language: "es" }],
    ["Muestra las ventas como una tabla", { kind: "form", form: "table" }],
    ["Compare the two engines as a markdown table", { kind: "form", form: "table" }],
    ["Write a parser in Python for it", { kind: "code_language", language: "python" }],
    [
      "Write a function named `parseDate` for it",
      { kind: "literal", text: "parseDate", is_wanted: true },
    ],
    [
      "Write a function called parseDate for it",
      { kind: "literal", text: "parseDate", is_wanted: true },
    ],
    [
      'Answer the letter, but do not mention "refund"',
      { kind: "literal", text: "refund", is_wanted: false },
    ],
    ["Create the file src/parse.ts with a parser", { kind: "file", path: "src/parse.ts" }],
    [
      "A report with sections Causes, Effects and Next actions",
      { kind: "section", name: "Next actions" },
    ],
  ])("%s", (description, expected) => {
    expect(constraintsOf(description)).toContainEqual(expect.objectContaining(expected));
  });

  it.each([
    "Summarise the text that has at least 3000 words",
    "Write at most 20 words per section about each pump",
    "Translate this letter from English, in Spanish and in English",
    "Compute the mean of the three columns and tell which is higher",
    "Analyse the sales table and say what matters",
  ])("nothing is read into: %s", (description) => {
    expect(constraintsOf(description)).toEqual([]);
  });
});

describe("an output that does not keep a demand fails", () => {
  const list = "- lighthouse one\n- lighthouse two\n- lighthouse three";

  it.each<[string, string, string, string]>([
    ["too few", "List at least 4 items about the lighthouse", list, "too_few"],
    ["too many", "List at most 2 items about the lighthouse", list, "too_many"],
    ["words", "Describe the lighthouse of Alexandria in 20 words or less", ON_TOPIC, "too_many"],
    [
      "sentences",
      "Describe the lighthouse of Alexandria in exactly 4 sentences",
      ON_TOPIC,
      "too_few",
    ],
    ["language", "Describe the lighthouse of Alexandria in Spanish", ON_TOPIC, "wrong_language"],
    ["form", "Show the lighthouse of Alexandria as a table", ON_TOPIC, "missing_form"],
    [
      "name",
      'Describe the lighthouse of Alexandria; you must mention "Sostratus"',
      ON_TOPIC,
      "missing_name",
    ],
    [
      "forbidden",
      'Describe the lighthouse of Alexandria, do not mention "granite"',
      ON_TOPIC,
      "forbidden_text",
    ],
    [
      "section",
      "Describe the lighthouse of Alexandria with sections History and Sources",
      `# History\n\n${ON_TOPIC}`,
      "missing_section",
    ],
    [
      "file",
      "Write the history of the lighthouse of Alexandria and save it to lighthouse.md",
      ON_TOPIC,
      "missing_file",
    ],
    [
      "code",
      "Write a lighthouse in Python that blinks",
      "The lighthouse blinks:\n\n```ts\nblink();\n```\n",
      "wrong_code_language",
    ],
  ])("%s", (_, description, answer, code) => {
    expect(answered(description, answer).blocking).toEqual([code]);
  });

  it.each<[string, string]>([
    ["List at least 3 items about the lighthouse", list],
    ["Describe the lighthouse of Alexandria in at most 40 words", ON_TOPIC],
    [
      "Show the lighthouse as a table",
      "| lighthouse | height |\n| --- | --- |\n| Alexandria | 100 m |",
    ],
    ['Describe the lighthouse of Alexandria; you must mention "Ptolemy"', ON_TOPIC],
    [
      "Describe the lighthouse of Alexandria with sections History and Sources",
      `# History\n\n${ON_TOPIC}\n\n# Sources\n\nNone.`,
    ],
    ["Give three reasons why the lighthouse of Alexandria fell", ON_TOPIC],
  ])("and one that does passes: %s", (description, answer) => {
    expect(answered(description, answer).blocking).toEqual([]);
  });

  it("has its declared outputs, and they say something", () => {
    const output_schema = { type: "object", required: ["answer", "height"] };
    const ask = (output: QualityQuestion["output"]) =>
      assess(questionOf({ description: LIGHTHOUSE, output_schema, output }));

    expect(ask({ answer: ON_TOPIC }).findings).toContainEqual(
      expect.objectContaining({ code: "missing_output", location: "/height", is_blocking: true }),
    );
    expect(ask({ answer: ON_TOPIC, height: " " }).findings).toContainEqual(
      expect.objectContaining({ code: "empty_part", location: "/height" }),
    );
    expect(ask({ answer: ON_TOPIC, height: 100 }).findings).toEqual([]);
  });
});

it("reads hostile descriptions and outputs in good time", () => {
  const texts = [
    "at least ".repeat(1_100),
    "with sections " + "a, ".repeat(3_000),
    "create ".repeat(1_400),
    '"'.repeat(9_900),
    "in 1 ".repeat(1_900),
  ];
  const start = performance.now();
  for (const description of texts) {
    assess(
      questionOf({
        description,
        output: { answer: description.repeat(40), a: "[".repeat(100_000) },
      }),
    );
  }

  expect(performance.now() - start).toBeLessThan(8_000);
});
