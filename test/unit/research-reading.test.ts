import { describe, expect, it } from "vitest";

import { factsOf } from "../../src/executor/skills/research/facts.ts";
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
