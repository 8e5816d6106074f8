import { describe, expect, it } from "vitest";

import { statedFacts } from "../../src/executor/skills/research/facts.ts";
import { denies } from "../../src/executor/skills/research/negation.ts";

type Kind = "date" | "number" | "person";

function asserted(kind: Kind, sentence: string): string[] {
  const language = /(?<!\p{L})(?:se|el|los)(?!\p{L})/iu.test(sentence) ? "es" : "en";
  return statedFacts(kind, sentence, language, () => false)
    .filter(({ is_denied }) => !is_denied)
    .map(({ text }) => text);
}

describe("what a sentence denies", () => {
  it.each<[sentence: string, facts: string[]]>([
    ["The bridge was not opened on 14 June 2019.", []],
    ["The bridge was not opened on Friday, 14 June 2019.", []],
    ["In 2018, the bridge was not opened.", []],
    ["In 2018 the bridge was not opened.", []],
    ["The bridge wasn't opened in 2018 but in 2020.", ["2020"]],
    ["It opened in 2020, not in 2018.", ["2020"]],
    ["It opened in 2020 and not in 2018.", ["2020"]],
    ["It opened neither in 2018 nor in 2019.", []],
    ["It was not opened until 3 May 2020.", ["3 May 2020"]],
    ["It opened not only in 2018 but also in 2020.", ["2018", "2020"]],
    ["It opened no later than 14 June 2019.", ["14 June 2019"]],
    ["Never sold, it reopened in 2020.", ["2020"]],
    ["El puente no se inauguró en 2018.", []],
    ["El puente se abrió en 2019 y no en 2018.", ["2019"]],
    ["No se inauguró hasta 2020.", ["2020"]],
    ["Nunca se abrió en 2018, sino en 2020.", ["2020"]],
  ])("is no fact of it: %s", (sentence, facts) => {
    expect(asserted("date", sentence)).toEqual(facts);
  });

  it.each<[kind: Kind, sentence: string, facts: string[]]>([
    ["date", "No one was hurt when the bridge opened on 14 June 2019.", ["14 June 2019"]],
    ["date", "Nobody was hurt and it opened in 2019.", ["2019"]],
    ["date", "The bridge opened in 2019 to no fanfare.", ["2019"]],
    ["date", "The company founded in 1998 has no debts.", ["1998"]],
    ["date", "The bridge opened in 2019 was not repaired.", ["2019"]],
    ["date", "Neither Ada nor Bob opened it in 2019.", ["2019"]],
    ["date", "El puente abierto en 1998 no tiene deudas.", ["1998"]],
    ["number", "No people died in the fire, 12 people were hurt.", ["12"]],
    ["number", "The station is not far from Oslo: 12 km.", ["12 km"]],
    ["person", "None other than Ada Lovelace opened it.", ["Ada Lovelace"]],
    ["person", "Ada Lovelace did not open it.", []],
    ["person", "It was not opened by Ada Lovelace but by Bob Wood.", ["Bob Wood"]],
    ["number", "Two members did not sign.", []],
  ])(
    "is nothing but what its verb or preposition is denied of (%s): %s",
    (kind, sentence, facts) => {
      expect(asserted(kind, sentence)).toEqual(facts);
    },
  );

  it("is what a denying question asks for", () => {
    expect(denies("Who did not sign?")).toBe(true);
    expect(denies("When did No. 5 open?")).toBe(false);
  });
});
