import { describe, expect, it } from "vitest";

import { builtinEmbedder } from "../../src/executor/memory/text/embedder.ts";
import { termsOf } from "../../src/executor/memory/text/terms.ts";
import { cosine, quantised, vectorOf, vectorText } from "../../src/executor/memory/text/vectors.ts";
import { workersAiEmbedder } from "../../src/executor/memory/text/workers-ai-embedder.ts";

async function similarity(one: string, other: string): Promise<number> {
  const [a, b] = await builtinEmbedder.embed([one, other]);
  return cosine(a ?? new Int8Array(), b ?? new Int8Array());
}

/** A text, the same in other words, and one of something else. */
const CASES = [
  [
    "Fix the bug in the login function",
    "Debugging an error of the signin method",
    "Summarise last month's sales by region",
  ],
  [
    "Summarize the customer feedback of March",
    "Write an overview of what clients said in March",
    "Convert the deployment settings from YAML to JSON",
  ],
  [
    "Analyse monthly revenue for a trend",
    "Examine the sales per month and forecast them",
    "Check that the health endpoint answers within two seconds",
  ],
  [
    "Analizar las ventas mensuales de la empresa",
    "Estudio de los ingresos por mes de la compañía",
    "Comprobar que el servidor de correo responde",
  ],
] as const;

describe("the built-in embedder", () => {
  it.each(CASES)(
    "puts a paraphrase of %j above unrelated text",
    async (text, paraphrase, other) => {
      const [near, far] = [await similarity(text, paraphrase), await similarity(text, other)];

      expect(near).toBeGreaterThan(builtinEmbedder.threshold);
      expect(far).toBeLessThan(builtinEmbedder.threshold);
      console.log(near, far);
    },
  );

  it("gives equal texts one vector for ever, whatever case, accents and order they have", async () => {
    expect(await similarity("Análisis de VENTAS", "analisis de ventas")).toBeGreaterThan(0.9);
    expect(await similarity("sort the orders", "the orders: sort")).toBeCloseTo(1);
    const [vector] = await builtinEmbedder.embed(["Analyse the sales"]);
    expect([...(vector ?? [])].flatMap((value, place) => (value === 127 ? [place] : []))).toEqual(
      [],
    );
  });

  it("takes whatever it is given, a megabyte too", async () => {
    const hostile = ["", "   ", "\u0000\u0007\uD800", "¿?", "a".repeat(1_000_000), "🙂 🙃"];

    const vectors = await builtinEmbedder.embed(hostile);

    for (const vector of vectors) expect(vector).toHaveLength(builtinEmbedder.dims);
    expect(cosine(vectors[0] ?? new Int8Array(), vectors[0] ?? new Int8Array())).toBe(0);
  });
});
