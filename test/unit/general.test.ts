import { describe, expect, it } from "vitest";

import { general } from "../../src/executor/skills/general.ts";
import { detectLanguage, wordsOf } from "../../src/executor/skills/language.ts";
import { splitSentences } from "../../src/executor/skills/text/split-sentences.ts";
import { countSyllables, readability } from "../../src/executor/skills/text/text-statistics.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

const ENGLISH = `# The James Webb Space Telescope

The James Webb Space Telescope is the largest optical telescope ever placed in space. It was launched on
25 December 2021 on an Ariane 5 rocket, and reached its orbit in January 2022. Its sensitivity allows it to
view objects too old, distant, or faint for the Hubble Space Telescope.

The primary mirror consists of 18 hexagonal mirror segments made of gold-plated beryllium. Webb observes a
lower frequency range than Hubble, from visible light through infrared light. The telescope must be kept
extremely cold, so that infrared light emitted by the telescope itself does not interfere with the collected
light. A five-layer sunshield protects the mirror from warming by the Sun, Earth, and Moon.

Dr. John C. Mather served as senior scientist. Dust clouds that block visible light are transparent to
infrared light. Construction was completed in 2016, followed by years of extensive testing.`;

const SPANISH = `El aceite de oliva es un aceite vegetal de uso principalmente culinario. Se extrae del fruto del
olivo, llamado aceituna. Casi la tercera parte de la pulpa de la aceituna es aceite.

España es el mayor productor de aceite de oliva del mundo, con cerca de la mitad de la producción mundial. La
provincia de Jaén produce más aceite de oliva que toda Italia. El Dr. Gutiérrez explica que la acidez mide la
proporción de ácidos grasos libres. La sequía redujo la cosecha de aceitunas en España a la mitad. Esto disparó
el precio del aceite de oliva en los supermercados.`;

interface Quoted {
  text: string;
  document_id: string;
  position: number;
}

function condense(input: Parameters<typeof runSkill>[1], configuration = {}) {
  const { outcome } = runSkill(general, input, { configuration });
  const { output, quality, lessons_learned } = expectResult(outcome);
  const summary = output["summary"] as unknown as Quoted[];
  const terms = (output["key_terms"] as unknown as { term: string }[]).map(({ term }) => term);
  return { output, summary, terms, quality, lessons_learned };
}

describe("condensing text", () => {
  it("quotes whole sentences in their order, with the place they come from", () => {
    const { summary } = condense({ text: ENGLISH }, { max_sentences: 3 });
    const positions = summary.map(({ position }) => position);
    const flat = ENGLISH.replaceAll("\n", " ");

    expect(summary).toHaveLength(3);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(summary.every(({ text }) => flat.includes(text))).toBe(true);
    expect(summary[0]?.text).toBe(
      "The James Webb Space Telescope is the largest optical telescope ever placed in space.",
    );
  });

  it("names the terms of an English text as it writes them", () => {
    const { terms, output } = condense({ text: ENGLISH }, { max_terms: 8 });

    expect(terms).toHaveLength(8);
    expect(terms).toEqual(
      expect.arrayContaining(["telescope", "infrared light", "James Webb Space Telescope"]),
    );
    expect(output["language"]).toMatchObject({ code: "en", is_given: false });
    expect(output["statistics"]).toMatchObject({
      documents: 1,
      paragraphs: 4,
      readability: { formula: "Flesch Reading Ease" },
    });
  });

  it("does the same for Spanish", () => {
    const { terms, output, quality } = condense({ text: SPANISH });

    expect(terms[0]).toBe("aceite de oliva");
    expect(terms).toContain("España");
    expect(output["language"]).toMatchObject({ code: "es", confidence: 1 });
    expect(output["statistics"]).toMatchObject({ readability: { formula: "Fernández-Huerta" } });
    expect(quality.feedback).toContain("El resumen cita");
  });

  it("keeps several documents apart and does not say the same thing twice", () => {
    const fact = "The new pump doubles the flow of cooling water through the reactor.";
    const documents = [
      { id: "a", text: `${fact} Operators were trained on the pump in March.` },
      { id: "b", text: `${fact} Inspectors measured the flow of water and found no leak.` },
    ];
    const { summary, output } = condense({ documents }, { max_sentences: 4 });

    expect(summary.filter(({ text }) => text === fact)).toHaveLength(1);
    expect(new Set(summary.map(({ document_id }) => document_id))).toEqual(new Set(["a", "b"]));
    expect(output["statistics"]).toMatchObject({ documents: 2 });
  });
});

describe("judging its own work", () => {
  it("reports its steps in the language of the text", () => {
    const { progress } = runSkill(general, { text: SPANISH });

    expect(progress.map((step) => step.current_step)[0]).toBe("Separando las frases");
    expect(progress.map((step) => step.progress_percentage)).toEqual([20, 40, 60, 80]);
  });

  it("doubts itself where the language is neither", () => {
    const finnish = "Hyvää huomenta kaikille, tänään sataa lunta koko päivän ja illalla pakastuu.";
    const { quality, lessons_learned } = condense({ text: finnish });

    expect(quality.criteria_scores.correctness).toBeLessThan(0.5);
    expect(lessons_learned).toHaveLength(1);
  });
});

describe("refusing text", () => {
  it.each([
    [{}, {}, "missing_input"],
    [{ question: "why?" }, {}, "missing_input"],
    [{ text: " 12 … " }, {}, "empty_input"],
    [{ documents: [] }, {}, "empty_input"],
    [{ text: 5 }, {}, "invalid_input"],
    [{ documents: [{ id: "a" }] }, {}, "invalid_input"],
    [{ text: "a ".repeat(600_000) }, {}, "input_too_large"],
    [{ text: "Fine." }, { max_sentences: 0 }, "invalid_configuration"],
    [{ text: "Fine." }, { language: "fr" }, "invalid_configuration"],
  ])("refuses %j with %j", (input, configuration, cause) => {
    const failure = expectFailure(runSkill(general, input, { configuration }).outcome);

    expect(failure).toMatchObject({ root_cause: { class: cause }, retry_recommended: false });
    expect(failure.recovery_suggestions.length).toBeGreaterThan(0);
  });

  it("says which field to give when no text came", () => {
    const failure = expectFailure(runSkill(general, {}).outcome);

    expect(failure.recovery_suggestions[0]).toContain("parameters.input_data.text");
  });
});

describe("splitting sentences", () => {
  const split = (text: string, language: "en" | "es" = "en") =>
    splitSentences({ id: "t", text }, language).map((sentence) => sentence.text);

  it("does not stop at abbreviations, initials, decimals or wrapped lines", () => {
    expect(split("Dr. J. Smith paid 3.50 euros\nin cash. He left.")).toEqual([
      "Dr. J. Smith paid 3.50 euros in cash.",
      "He left.",
    ]);
    expect(split("El Sr. Díaz llegó tarde. ¿Por qué? No lo dijo.", "es")).toEqual([
      "El Sr. Díaz llegó tarde.",
      "¿Por qué?",
      "No lo dijo.",
    ]);
  });

  it.each([
    ["The case Smith v. Jones was decided on Jan. 5, 2021.", "en"],
    ["It closed on Mon. Sept. 7 and stands in No. 12, see Fig. 3.", "en"],
    ["Llegó el 5 de ene. 2021 al piso núm. 3.", "es"],
  ] as const)("finds one sentence in: %s", (text, language) => {
    expect(split(text, language)).toEqual([text]);
  });

  it("ends a sentence at a word that is an abbreviation only before a number", () => {
    expect(split("The answer is no. They left in Dec. Snow fell.")).toHaveLength(3);
    expect(split("Ganó a Juan y vio el mar. 20, 30, Ana no sabe.", "es")).toHaveLength(2);
  });

  it("finds the same sentences in a long paragraph as in short ones", () => {
    const sentence = `It rained. And ${"rained and ".repeat(400)}rained until noon! Then "it stopped." Why?`;
    const once = split(sentence);

    expect(once).toHaveLength(4);
    expect(split(`${sentence} `.repeat(50))).toEqual(Array.from({ length: 50 }, () => once).flat());
  });

  it("keeps headings and list items apart from running text", () => {
    const sentences = splitSentences(
      { id: "t", text: "# Aims\nWe test pumps.\n- First item\n- Second item" },
      "en",
    );

    expect(sentences.map(({ text, is_fragment }) => [text, is_fragment])).toEqual([
      ["Aims", true],
      ["We test pumps.", false],
      ["First item", true],
      ["Second item", true],
    ]);
  });
});

describe("measuring text", () => {
  it("follows the published formulas", () => {
    expect(readability(10, 1.5, "en")).toEqual({
      formula: "Flesch Reading Ease",
      score: 69.8,
      level: "standard",
    });
    expect(readability(10, 2, "es")).toEqual({
      formula: "Fernández-Huerta",
      score: 76.6,
      level: "easy",
    });
  });

  it.each([
    ["sol", 1],
    ["queso", 2],
    ["guitarra", 3],
    ["pingüino", 3],
    ["aéreo", 4],
    ["día", 2],
    ["ciudad", 2],
    ["aceituna", 4],
    ["muy", 1],
  ])("counts the syllables of %s as %d", (word, count) => {
    expect(countSyllables(word, "es")).toBe(count);
  });

  it.each([
    ["The cat sat on the mat and looked at all of us", "en"],
    ["El gato se sentó en la alfombra y nos miró a todos", "es"],
    ["", "en"],
  ] as const)("takes %j for %s", (text, language) => {
    expect(detectLanguage(wordsOf(text)).language).toBe(language);
  });
});
