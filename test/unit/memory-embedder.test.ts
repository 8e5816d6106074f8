import { describe, expect, it } from "vitest";

import { builtinEmbedder } from "../../src/executor/memory/text/embedder.ts";
import { indexedWord, termsOf } from "../../src/executor/memory/text/terms.ts";
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

/** Tasks of twenty subjects. */
const UNRELATED = [
  "Translate the onboarding letter into French",
  "Plan a birthday party for forty guests",
  "Measure response times of the payment gateway",
  "Rotate the API keys of the staging cluster",
  "Draft a press release about the merger",
  "Count duplicate rows in the inventory spreadsheet",
  "Explain photosynthesis to a ten year old",
  "Migrate the blog from WordPress to Hugo",
  "Classify support tickets by urgency",
  "Generate TypeScript types from this JSON schema",
  "Compute the median household income per district",
  "Roll back the release that broke checkout",
  "Buscar recetas con garbanzos y espinacas",
  "Calcular el riesgo de impago de los préstamos",
  "List open ports of the mail relay",
  "Write unit tests for the date parser",
  "Summarise the minutes of the board meeting",
  "Detect anomalies in the turbine's vibration data",
  "Rename all columns to snake case",
  "Estimate how long the tunnel will take to dig",
];

describe("the built-in embedder", () => {
  it.each(CASES)(
    "puts a paraphrase of %j above unrelated text",
    async (text, paraphrase, other) => {
      const [near, far] = [await similarity(text, paraphrase), await similarity(text, other)];

      expect(near).toBeGreaterThan(builtinEmbedder.threshold);
      expect(far).toBeLessThan(builtinEmbedder.threshold);
    },
  );

  it("gives equal texts one vector for ever, whatever case, accents and order they have", async () => {
    expect(await similarity("Análisis de VENTAS", "analisis de ventas")).toBeGreaterThan(0.9);
    expect(await similarity("sort the orders", "the orders: sort")).toBeCloseTo(1);
    // Stored vectors stay comparable: whoever changes how they are made gives them another name.
    const [vector = new Int8Array()] = await builtinEmbedder.embed(["Sort the orders"]);
    expect([builtinEmbedder.name, vectorText(vector).slice(0, 40)]).toMatchInlineSnapshot(`
      [
        "hashed-stems-1",
        "AAAAAAAAAAAAAADgAAAAAAAAAAAAAAAAAAAAAAAA",
      ]
    `);
  });

  it("does not see meaning beyond shared words, stems and its table: that is its limit", async () => {
    expect(await similarity("the invoice was settled", "they paid the bill")).toBeLessThan(
      builtinEmbedder.threshold,
    );
    expect(await similarity("the test passed", "the test has not passed")).toBeGreaterThan(0.9);
  });

  it("keeps tasks that have nothing to do with each other below the threshold, pair by pair", async () => {
    const vectors = await builtinEmbedder.embed(UNRELATED);
    const pairs = vectors.flatMap((a, place) => vectors.slice(place + 1).map((b) => cosine(a, b)));

    expect(pairs).toHaveLength(190);
    expect(Math.max(...pairs)).toBeLessThan(builtinEmbedder.threshold);
  });

  it("takes whatever it is given, a megabyte too", async () => {
    const hostile = ["", "   ", "\u0000\u0007\uD800", "¿?", "a".repeat(1_000_000), "🙂 🙃"];

    const vectors = await builtinEmbedder.embed(hostile);

    for (const vector of vectors) expect(vector).toHaveLength(builtinEmbedder.dims);
    expect(cosine(vectors[0] ?? new Int8Array(), vectors[0] ?? new Int8Array())).toBe(0);
  });
});

describe("the words that a text is found by", () => {
  it("are letters and digits alone, and in the index one word whatever they hold", () => {
    const stems = termsOf("coŀlega ½cup ⒈first a\u19B0b").map(({ stem }) => stem);

    expect(stems.join("")).toMatch(/^[\p{L}\p{N}]+$/u);
    expect(stems[0]).toMatch(/^colleg/);
    expect(stems.map(indexedWord).join("")).toMatch(/^[a-z0-9]+$/);
    expect(indexedWord("colega")).toBe("colega");
  });

  it("are stems without accents and stop words, by their meaning where the table has one", () => {
    const stems = (text: string) => termsOf(text).map(({ stem }) => stem);

    expect(stems("The reports' totals are being debugged")).toEqual(["report", "total", "repair"]);
    expect(stems("Corregir el fallo de la configuración")).toEqual([
      "repair",
      "error",
      "configuration",
    ]);
    expect(stems('" OR 1=1; DROP TABLE memory -- *')).toEqual(["remove", "table", "memori"]);
  });
});

describe("vectors", () => {
  it("survive as bytes and as text", () => {
    const vector = quantised([0.5, -1, 0.004, 0]);

    expect([...vector]).toEqual([64, -127, 1, 0]);
    expect(vectorOf(vectorText(vector))).toEqual(vector);
    expect(quantised([0, 0])).toEqual(Int8Array.of(0, 0));
    expect(quantised([Number.NaN, Infinity])).toEqual(Int8Array.of(0, 0));
  });

  it("are compared only with those of their length", () => {
    expect(cosine(Int8Array.of(1, 0), Int8Array.of(1, 0, 0))).toBe(0);
    expect(cosine(Int8Array.of(127, 0), Int8Array.of(-127, 0))).toBe(-1);
  });
});

describe("the hosted embedder", () => {
  const long = (first: number) => Array.from({ length: 768 }, (_, place) => (place ? 0 : first));

  it("asks for a hundred texts at a time, and keeps the first 256 dimensions", async () => {
    const asked: number[] = [];
    const embedder = workersAiEmbedder({
      run: async (_model, { text }) => {
        asked.push(text.length);
        return { shape: [text.length, 768], data: text.map(() => long(0.1)) };
      },
    });

    const vectors = await embedder.embed(Array.from({ length: 101 }, () => "a text"));

    expect(asked).toEqual([100, 1]);
    expect(vectors).toHaveLength(101);
    expect(vectors[0]).toHaveLength(256);
    expect(vectors[0]?.[0]).toBe(127);
  });

  it.each([
    ["nothing", {}],
    ["too few vectors", { data: [] }],
    ["short vectors", { data: [[1, 2]] }],
  ])("throws when the answer has %s", async (_what, answer) => {
    const embedder = workersAiEmbedder({ run: async () => answer });

    await expect(embedder.embed(["a text"])).rejects.toThrow(/./);
  });
});
