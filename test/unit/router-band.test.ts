import { describe, expect, it } from "vitest";

import { bandOf, featuresOf } from "../../src/executor/router/rules/band.ts";

const bandOfText = (text: string, input = 0) => bandOf(featuresOf(text, input), null).band;

describe("the band of a task", () => {
  it.each([
    ["low", "List the capitals of Europe"],
    ["low", "Traduce este texto al inglés"],
    ["low", "Summarise the attached notes in three sentences"],
    ["medium", "Analyse why sales fell in May and compare the regions"],
    ["medium", "Analiza por qué cayeron las ventas y compara las regiones"],
    [
      "high",
      "Implement a TypeScript function that resolves the deadlock, and prove step by step why it is safe under concurrency",
    ],
    [
      "high",
      "Implementa una función en TypeScript que resuelva el bloqueo mutuo; razona paso a paso sobre la concurrencia y el rendimiento",
    ],
  ])("is %s: %s", (band, text) => {
    expect(bandOfText(text)).toBe(band);
  });

  it("is the same whatever the case and the accents", () => {
    expect(featuresOf("RAZONA SOBRE LA FUNCIÓN", 0)).toEqual(
      featuresOf("razona sobre la funcion", 0),
    );
  });

  it("counts code by what it looks like, steps by items and words, and questions", () => {
    const text = "1. call it\n2. then `run(x);`\n- finally?\n```\nlet a = () => 1;\n```";

    expect(featuresOf(text, 7)).toMatchObject({ input_characters: 7, steps: 5, questions: 1 });
    expect(featuresOf(text, 0).code).toBeGreaterThan(2);
  });

  it("grows with the length of the input, in powers of ten", () => {
    const score = (input: number) => bandOf(featuresOf("x", input), null).score;

    expect([score(0), score(199), score(6_325), score(200_000), score(10_000_000)]).toEqual([
      0,
      0,
      expect.closeTo(0.05, 3),
      0.1,
      0.1,
    ]);
  });

  it("is the caller's where the caller has judged, critical being high", () => {
    const features = featuresOf("List them", 0);

    expect(bandOf(features, "critical")).toMatchObject({ band: "high", by: "caller" });
    expect(bandOf(features, "medium")).toMatchObject({ band: "medium", by: "caller" });
  });

  it("of a long and hostile text is found in little time", () => {
    const started = performance.now();
    featuresOf(`${"a(".repeat(30_000)}${"- ".repeat(20_000)}`, 0);

    expect(performance.now() - started).toBeLessThan(500);
  });
});
