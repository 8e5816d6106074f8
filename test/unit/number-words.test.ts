import { describe, expect, it } from "vitest";

import { factsOf } from "../../src/executor/skills/research/facts.ts";
import { plainNumber, readNumber } from "../../src/executor/skills/research/number-words.ts";

describe("numbers of different spelling", () => {
  it.each([
    ["fourteen", "14"],
    ["Catorce", "14"],
    ["twenty-one", "21"],
    ["treinta y dos", "32"],
    ["veintidós", "22"],
    ["two hundred", "200"],
    ["one hundred and twenty", "120"],
    ["two hundred thousand", "200000"],
    ["two thousand nineteen", "2019"],
    ["two dozen", "24"],
    ["dos mil", "2000"],
    ["mil novecientos noventa y ocho", "1998"],
    ["doscientas", "200"],
    ["200 thousand", "200000"],
    ["12,000", "12000"],
    ["1.234.567", "1234567"],
    ["3,5", "3.5"],
    ["0.125", "0.125"],
    ["0,125", "0.125"],
    ["1,234.50", "1234.5"],
    ["1.500", "1.5"],
    ["dozens", "dozens"],
    ["nineteen ninety", "nineteen ninety"],
  ])("%s is %s", (text, plain) => {
    expect(plainNumber(text, "en")).toBe(plain);
  });

  it("parts thousands by a point in Spanish, but not behind a lone zero", () => {
    expect(["1.500", "1.234,5", "0.125"].map((text) => plainNumber(text, "es"))).toEqual([
      "1500",
      "1234.5",
      "0.125",
    ]);
  });

  it.each([
    ["two hundred metres", "200", "metres"],
    ["12 mil euros", "12000", "euros"],
    ["€48.50", "€48.50", ""],
    ["112 km", "112", "km"],
    ["dozens", "dozens", ""],
  ])("parts %s from its unit", (text, plain, unit) => {
    expect(readNumber(text, "en")).toEqual({ plain, unit });
  });
});

describe("number words in a sentence", () => {
  it.each<[sentence: string, numbers: string[]]>([
    ["It had two hundred guests and twenty-two rooms.", ["two hundred", "twenty-two"]],
    ["The hall has one hundred and twenty seats.", ["one hundred and twenty"]],
    ["Between ten and twenty came.", ["ten", "twenty"]],
    ["Pesa dos mil quinientos kilos.", ["dos mil quinientos kilos"]],
    ["Hay treinta y un barcos.", ["treinta y un"]],
    ["One of two thousand two hundred.", ["two thousand two hundred"]],
  ])("are one number in a row: %s", (sentence, numbers) => {
    expect(factsOf("number", sentence, () => false).map(({ text }) => text)).toEqual(numbers);
  });
});
