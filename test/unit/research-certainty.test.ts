import { describe, expect, it } from "vitest";
import * as z from "zod";

import { research } from "../../src/executor/skills/research.ts";
import { expectResult, runSkill } from "./skill-run.ts";

const outputSchema = z.object({
  answers: z.array(
    z.object({
      facts: z.array(z.string()),
      confidence: z.number(),
      contradictions: z.array(z.unknown()),
    }),
  ),
});

describe("being no surer than the documents", () => {
  const first = (text: string, question: string) => {
    const { outcome } = runSkill(research, { text }, { description: question });
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
