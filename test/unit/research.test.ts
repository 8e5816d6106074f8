import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import * as z from "zod";

import { research } from "../../src/executor/skills/research.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

const sample = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "../samples/research", name), "utf8");

const documentsSchema = z.object({
  documents: z.array(z.object({ id: z.string(), title: z.string(), text: z.string() })),
});
const citationSchema = z.object({
  document_id: z.string(),
  title: z.nullable(z.string()),
  passage: z.string(),
  position: z.object({ start: z.number(), end: z.number(), sentence: z.number() }),
  score: z.number(),
});
const outputSchema = z.object({
  language: z.enum(["en", "es"]),
  answer: z.string(),
  confidence: z.number(),
  answers: z.array(
    z.object({
      question: z.string(),
      kind: z.string(),
      unanswered: z.boolean(),
      answer: z.nullable(z.string()),
      facts: z.array(z.string()),
      confidence: z.number(),
      coverage: z.number(),
      terms: z.object({ found: z.array(z.string()), missing: z.array(z.string()) }),
      citations: z.array(citationSchema),
      contradictions: z.array(
        z.object({ values: z.array(z.string()), passages: z.array(citationSchema) }),
      ),
    }),
  ),
  unanswered_questions: z.array(z.string()),
  statistics: z.record(z.string(), z.number()),
});

const CONSTITUTION = { text: sample("us-constitution.txt") };
const CONSTITUCION = { text: sample("constitucion.txt") };
const BRIDGE = documentsSchema.parse(JSON.parse(sample("bridge.json")));

function ask(input: JsonObject, question: string, configuration: JsonObject = {}) {
  const { outcome } = runSkill(research, input, { description: question, configuration });
  const result = expectResult(outcome);
  return { ...result, output: outputSchema.parse(result.output) };
}

describe("answering from an English text", () => {
  // Read off the text by hand: the question, a piece of the sentence that answers it, and the fact in it.
  it.each<[question: string, says: string, fact: string]>([
    ["How many Senators does each State have?", "composed of two Senators from each State", "two"],
    ["How old must a Senator be?", "attained to the Age of thirty Years", "thirty Years"],
    ["Who presides when the President is tried?", "the Chief Justice shall preside", ""],
    ["When shall the Congress assemble?", "on the first Monday in December", "Monday"],
    [
      "Where do Bills for raising Revenue originate?",
      "originate in the House",
      "House of Representatives",
    ],
    ["How long is the term of the President?", "during\nthe Term of four Years", "four Years"],
    ["Is the President Commander in Chief?", "shall be Commander in Chief", ""],
    [
      "Who is President of the Senate?",
      "The Vice President",
      "Vice President of the United States",
    ],
  ])("%s", (question, says, fact) => {
    const { output, quality } = ask(CONSTITUTION, question);
    const [answer] = output.answers;

    expect(answer?.citations[0]?.passage).toContain(says);
    expect(answer?.facts[0] ?? "").toContain(fact);
    // A sentence that names several of what was asked for is trusted less, though the first is right.
    expect([0.8, 1]).toContain(answer?.confidence);
    expect(quality.overall_score).toBeGreaterThan(0.8);
  });

  it("quotes exactly what stands at the place it names, and opens no sentence with a bare pronoun", () => {
    const { output } = ask(CONSTITUTION, "How long is the term of the President?");
    const [citation] = output.answers[0]?.citations ?? [];

    expect(citation?.passage).toMatch(/^The executive Power shall be vested .* He shall hold/s);
    expect(CONSTITUTION.text.slice(citation?.position.start, citation?.position.end)).toBe(
      citation?.passage,
    );
  });

  it.each([
    "What is photosynthesis?",
    "When was the Eiffel Tower built?",
    "How many Senators has Canada?",
  ])("supports no answer to: %s", (question) => {
    const failure = expectFailure(
      runSkill(research, CONSTITUTION, { description: question }).outcome,
    );

    expect(failure).toMatchObject({
      error_type: "input_no_support",
      root_cause: { class: "no_support", evidence: expect.stringContaining("nowhere") },
      retry_recommended: false,
    });
  });
});

describe("answering from a Spanish text", () => {
  it.each<[question: string, says: string, fact: string]>([
    ["¿Cuál es la capital del Estado?", "la villa de Madrid", ""],
    ["¿A qué edad son mayores de edad los españoles?", "a los dieciocho años", ""],
    [
      "¿Cuántos diputados tiene el Congreso?",
      "un mínimo de 300 y un máximo de 400 Diputados",
      "300",
    ],
    ["Cuantas franjas tiene la bandera?", "tres franjas horizontales", "tres"],
    ["¿Cuánto puede durar la detención preventiva?", "en el plazo máximo", "setenta y dos horas"],
  ])("%s", (question, says, fact) => {
    const { output, quality } = ask(CONSTITUCION, question);

    expect(output.language).toBe("es");
    expect(output.answers[0]?.citations[0]?.passage).toContain(says);
    expect(output.answers[0]?.facts[0] ?? "").toContain(fact);
    expect(quality.feedback).toMatch(/^Los documentos responden a 1 de 1/);
  });
});

describe("answering from several documents", () => {
  it("tells that documents disagree on what was asked, and trusts neither fully", () => {
    const { output, next_steps } = ask(BRIDGE, "When was the Aldersey footbridge opened?");
    const [answer] = output.answers;

    expect(answer?.citations.map(({ document_id }) => document_id)).toEqual([
      "inspection-2023",
      "press-2019",
    ]);
    expect(answer?.contradictions.map(({ values }) => values)).toEqual([["2018", "2019"]]);
    expect(answer?.confidence).toBe(0.6);
    expect(next_steps).toHaveLength(1);
  });

  it("does not doubt who did it because the year is disputed", () => {
    const { output } = ask(BRIDGE, "Who opened the Aldersey footbridge?");

    expect(output.answers[0]).toMatchObject({ facts: ["Helen Okafor"], confidence: 1 });
  });

  it("answers each question by itself, and a bare one about what was asked before", () => {
    const { output, quality } = ask(
      BRIDGE,
      "Who led the inspection? When?\nHow much will repairs cost? Who designed the bridge?",
    );

    expect(output.answers.map(({ facts }) => facts[0])).toEqual([
      "Dr. Tomás Rivas",
      "3 March 2023",
      "€48,500",
      undefined,
    ]);
    expect(output.unanswered_questions).toEqual(["Who designed the bridge?"]);
    expect(output.answers[3]).toMatchObject({ unanswered: true, answer: null, confidence: 0 });
    expect(quality.criteria_scores.completeness).toBe(0.75);
  });

  it("knows a document's title, a word's other forms, and what a number counts", () => {
    const how = ask(
      BRIDGE,
      "How long is the Aldersey footbridge?\nHow many hangers were corroded?",
    );

    expect(how.output.answers.map(({ facts }) => facts)).toEqual([["112 metres"], ["17", "96"]]);
    expect(how.output.answers[0]?.citations[0]?.title).toBe("Aldersey footbridge: press release");
  });

  it("quotes a document that gives orders, and obeys none", () => {
    const { output } = ask(BRIDGE, "Is the Aldersey footbridge closed?");

    expect(output.language).toBe("en");
    expect(output.answers[0]?.citations[0]).toMatchObject({ document_id: "forum" });
    expect(output.answers[0]?.citations.length).toBeLessThanOrEqual(3);
    expect(ask(BRIDGE, "Why was construction delayed?").output.answer).toBe(
      "Construction was delayed because the piers of an older bridge were found in the river bed.",
    );
  });

  it("reads each document in its own language", () => {
    const mixed = { documents: [...BRIDGE.documents, { id: "es", text: CONSTITUCION.text }] };

    const { output } = ask(mixed, "¿Cuál es la capital del Estado?");

    expect(output.answers[0]?.citations[0]?.document_id).toBe("es");
  });
});

describe("what cannot be answered", () => {
  it("lacks documents when there are none, and says nothing of broken ones", () => {
    const task = { description: "Who won?", configuration: {} };

    expect(research.lack?.({ ...task, input_data: {} })).toMatch(/without documents/);
    expect(research.lack?.({ ...task, input_data: { documents: [] } })).toBeNull();
    expect(research.lack?.({ ...task, input_data: { url: "https://example.com/a" } })).toBeNull();
  });

  it.each<
    [what: string, input: JsonObject, question: string, configuration: JsonObject, type: string]
  >([
    ["no documents", {}, "Who?", {}, "input_missing_question"],
    ["an empty list", { documents: [] }, "Who won?", {}, "input_empty_input"],
    [
      "a document without text",
      { documents: [{ id: "a" }] },
      "Who won?",
      {},
      "input_invalid_input",
    ],
    ["a question of marks", { text: "A text." }, "???", {}, "input_missing_question"],
    [
      "a question that is a number",
      { text: "A text." },
      "Who?",
      { question: 4 },
      "input_invalid_configuration",
    ],
    [
      "too many passages",
      { text: "A text." },
      "Who won?",
      { max_passages: 11 },
      "input_invalid_configuration",
    ],
    [
      "an unknown language",
      { text: "A text." },
      "Who won?",
      { language: "fr" },
      "input_invalid_configuration",
    ],
    ["too much text", { text: "a ".repeat(600_000) }, "Who won?", {}, "input_too_large"],
  ])("refuses %s", (_, input, ...[question, configuration, error_type]) => {
    const { outcome } = runSkill(research, input, { description: question, configuration });

    expect(expectFailure(outcome).error_type).toBe(error_type);
  });

  it("bears broken encodings and quotes them as they are", () => {
    const text =
      "El pa\u00c3\u00ads \ud800 tiene dos r\u00c3\u00ados\u0000. The pump of the caf\ufffd costs $40.";

    const { output } = ask({ text }, "How much does the pump cost?");
    const [citation] = output.answers[0]?.citations ?? [];

    expect(citation?.passage).toBe("The pump of the caf\ufffd costs $40.");
  });

  it("searches a document of a megabyte in bounded time, with or without full stops", () => {
    const sentence = "The pump in hall 7 moves 40 litres of water a minute. ";
    const many = sentence.repeat(Math.floor(1_040_000 / sentence.length));
    const endless = "pump moves water ".repeat(61_000);
    const begin = performance.now();

    const quoted = ask({ text: many }, "How many litres does the pump move?");
    const cut = ask({ text: endless }, "Which pump moves water?");

    expect(quoted.output.answers[0]?.facts).toEqual(["40 litres"]);
    expect(quoted.output.answers[0]?.citations).toHaveLength(1);
    expect(cut.output.answers[0]?.citations[0]?.passage.length).toBeLessThanOrEqual(600);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});
