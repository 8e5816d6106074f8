import { describe, expect, it } from "vitest";

import { assertedFacts, factsOf } from "../../src/executor/skills/research/facts.ts";
import { denies } from "../../src/executor/skills/research/negation.ts";
import { plainNumber } from "../../src/executor/skills/research/number-words.ts";
import { questionsOf } from "../../src/executor/skills/research/question.ts";

describe("reading questions", () => {
  it.each<[question: string, kind: string]>([
    ["In what year was it built?", "date"],
    ["¿Desde cuándo vive allí?", "date"],
    ["¿Por qué llegó tarde?", "reason"],
    ["¿Dónde nació?", "place"],
    ["By whom was it signed?", "person"],
    ["What does BM25 mean?", "definition"],
    ["Which pump is loudest?", "open"],
    ["¿Hay agua?", "yes_no"],
  ])("%s asks for a %s", (text, kind) => {
    expect(questionsOf(text, "en")[0]?.kind).toBe(kind);
  });

  it("takes lines as questions where no sentence has a question mark", () => {
    const text = "Summarise.\n- height of the tower\n2. name of the builder";

    expect(questionsOf(text, "en").map(({ text: line }) => line)).toEqual([
      "Summarise.",
      "height of the tower",
      "name of the builder",
    ]);
    expect(questionsOf("When was Smith vs. Jones decided? Why?", "en")[0]?.text).toBe(
      "When was Smith vs. Jones decided?",
    );
    expect(questionsOf("Read the report. Who wrote it?", "en")).toHaveLength(1);
  });
});

describe("finding facts", () => {
  it.each<[kind: "date" | "number" | "person" | "place", sentence: string, facts: string[]]>([
    [
      "date",
      "Opened on 14 June 2019, closed May 3rd, 2021 and 2024-01-05.",
      ["14 June 2019", "May 3rd, 2021", "2024-01-05"],
    ],
    [
      "date",
      "Se abrió el 3 de marzo de 2023, un martes, a las 18:30.",
      ["3 de marzo de 2023", "martes", "18:30"],
    ],
    [
      "date",
      "Held on Sept. 7, on Mon. Oct. 5, 2020 and el 5 de ene. 2021.",
      ["Sept. 7", "Oct. 5, 2020", "5 de ene. 2021"],
    ],
    ["date", "It may cost 1,999.50 or 2019 %.", []],
    [
      "number",
      "In 2019 it had 1,250 seats, 17 % empty, at €48.50 each.",
      ["1,250", "17 %", "€48.50"],
    ],
    ["number", "Mide doce metros y pesa 3 toneladas.", ["doce metros", "3 toneladas"]],
    ["person", "In March the mayor, Ana de la Torre, met Dr. Li.", ["Ana de la Torre", "Dr. Li"]],
    ["place", "She moved from the Netherlands to New York.", ["Netherlands", "New York"]],
  ])("%s in: %s", (kind, sentence, facts) => {
    expect(factsOf(kind, sentence, () => false).map(({ text }) => text)).toEqual(facts);
  });
});

describe("what a sentence denies", () => {
  it.each<[sentence: string, facts: string[]]>([
    ["The bridge was not opened on 14 June 2019.", []],
    ["In 2018, the bridge was not opened.", []],
    ["The bridge wasn't opened in 2018 but in 2020.", ["2020"]],
    ["It opened in 2020, not in 2018.", ["2020"]],
    ["It opened in 2020 and not in 2018.", ["2020"]],
    ["It was not opened until 3 May 2020.", ["3 May 2020"]],
    ["It opened not only in 2018 but also in 2020.", ["2018", "2020"]],
    ["It opened no later than 14 June 2019.", ["14 June 2019"]],
    ["Never sold, it reopened in 2020.", ["2020"]],
    ["El puente no se inauguró en 2018.", []],
    ["No se inauguró hasta 2020.", ["2020"]],
    ["Nunca se abrió en 2018, sino en 2020.", ["2020"]],
  ])("is no fact of it: %s", (sentence, facts) => {
    const found = assertedFacts("date", sentence, () => false);

    expect(found.map(({ text }) => text)).toEqual(facts);
  });

  it("is what a denying question asks for", () => {
    expect(denies("Who did not sign?")).toBe(true);
    expect(denies("When did No. 5 open?")).toBe(false);
  });
});

describe("numbers of different spelling", () => {
  it.each([
    ["fourteen", "14"],
    ["Catorce", "14"],
    ["twenty-one", "21"],
    ["treinta y dos", "32"],
    ["veintidós", "22"],
    ["12,000", "12000"],
    ["1.234.567", "1234567"],
    ["3,5", "3.5"],
    ["dozens", "dozens"],
  ])("%s is %s", (text, plain) => {
    expect(plainNumber(text)).toBe(plain);
  });
});
