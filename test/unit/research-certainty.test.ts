import { describe, expect, it } from "vitest";
import * as z from "zod";

import { research } from "../../src/executor/skills/research.ts";
import { expectResult, runSkill } from "./skill-run.ts";

const outputSchema = z.object({
  answers: z.array(
    z.object({
      facts: z.array(z.string()),
      confidence: z.number(),
      contradictions: z.array(z.object({ values: z.array(z.string()) })),
      citations: z.array(z.unknown()),
    }),
  ),
});

describe("being no surer than the documents", () => {
  const first = (given: string | string[], question: string) => {
    const documents = [given].flat().map((text, at) => ({ id: `d${at}`, text }));
    const { outcome } = runSkill(research, { documents }, { description: question });
    return outputSchema.parse(expectResult(outcome).output).answers[0];
  };

  it.each([
    [
      "The bridge was not opened on 14 June 2019. It was opened on 3 May 2020.",
      "When was the bridge opened?",
      "3 May 2020",
    ],
    [
      "El puente no se inauguró en 2018. Fue inaugurado el 3 de mayo de 2020.",
      "¿Cuándo fue inaugurado el puente?",
      "3 de mayo de 2020",
    ],
  ])("answers from what is said, not from what is denied: %s", (text, question, fact) => {
    expect(first(text, question)?.facts).toEqual([fact]);
  });

  it("halves the confidence where the passage only denies", () => {
    const answer = first("The bridge was not opened in 2018.", "When was the bridge opened?");

    expect(answer).toMatchObject({ facts: [], confidence: 0.5 });
    expect(first("Two members did not sign.", "How many members did not sign?")).toMatchObject({
      facts: ["Two"],
      confidence: 1,
    });
  });

  it.each<[texts: [string, string], question: string, values: string[]]>([
    [
      [
        "No one was hurt when the Aldersey bridge opened on 14 June 2019.",
        "The Aldersey bridge may open in 2031 if plans change.",
      ],
      "When did the Aldersey bridge open?",
      ["2019", "2031"],
    ],
    [
      [
        "The Aldersey bridge opened in 2019 to no fanfare.",
        "The Aldersey bridge was to open in 2017.",
      ],
      "When did the Aldersey bridge open?",
      ["2017", "2019"],
    ],
    [
      [
        "The Aldersey company founded in 1998 has no debts.",
        "The Aldersey company was founded in 1889 according to legend.",
      ],
      "When was the Aldersey company founded?",
      ["1889", "1998"],
    ],
    [
      [
        "The Aldersey bridge was not quietly opened in 2019.",
        "The Aldersey bridge opened in 2017.",
      ],
      "When did the Aldersey bridge open?",
      ["2017", "2019 (denied)"],
    ],
  ])("shows both sides where one has a word that denies: %j", (texts, question, values) => {
    const answer = first(texts, question);

    expect(answer?.contradictions.map((each) => each.values.toSorted())).toEqual([values]);
    expect(answer).toMatchObject({ confidence: 0.6 });
    expect(answer?.citations).toHaveLength(2);
  });

  it("is less sure beside a passage that seems to deny a name", () => {
    const text =
      "The Aldersey bridge was opened by Bob Wood.\n\nThe Aldersey bridge was not opened by Ada Lovelace.";
    const answer = first(text, "Who opened the Aldersey bridge?");

    expect(answer).toMatchObject({ facts: ["Bob Wood"], confidence: 0.8 });
    expect(answer?.citations).toHaveLength(2);
  });

  it("counts none beside what else the passage counts", () => {
    const text = "No people died in the Aldersey fire, 12 people were hurt.";

    expect(first(text, "How many people died in the Aldersey fire?")).toMatchObject({
      facts: ["No", "12"],
      confidence: 0.8,
    });
  });

  it.each([
    [
      "The hotel had two hundred guests in May.\n\nThe hotel had 200 guests in May.",
      "How many guests did the hotel have?",
    ],
    [
      "The hall has one hundred and twenty seats.\n\nThe hall has 120 seats.",
      "How many seats does the hall have?",
    ],
    [
      "The Aldersey bridge is 1.500 km long.\n\nThe Aldersey bridge is 1.5 km long.",
      "How long is the Aldersey bridge?",
    ],
  ])("sees one number in two spellings: %j", (text, question) => {
    expect(first(text, question)).toMatchObject({ contradictions: [], confidence: 1 });
  });

  it("puts the fact of the question's own clause first, and doubts it beside another", () => {
    const text = "The treaty, signed on 4 May 1949, entered into force on 3 August 1949.";

    expect(first(text, "When did the treaty enter into force?")).toMatchObject({
      facts: ["3 August 1949", "4 May 1949"],
      confidence: 0.8,
    });
    expect(first("It opens on Friday, 14 June 2019 at 10:30.", "When does it open?")).toMatchObject(
      { confidence: 1 },
    );
  });

  it("sees no contradiction in the spelling of a number", () => {
    const text = "The shop has 14 employees.\n\nThe shop has fourteen employees.";

    expect(first(text, "How many employees does the shop have?")).toMatchObject({
      contradictions: [],
      confidence: 1,
    });
  });
});
