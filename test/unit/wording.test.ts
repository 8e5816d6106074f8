import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { dataAnalysis } from "../../src/executor/skills/data-analysis.ts";
import { expectResult, runSkill } from "./skill-run.ts";

const root = path.join(import.meta.dirname, "../..");

const MESSY = [
  "fecha,ventas,coste,grupo,fijo,id",
  ...Array.from({ length: 60 }, (_, row) => {
    const day = new Date(Date.UTC(2026, 0, 1 + row)).toISOString().slice(0, 10);
    const sales = row === 40 ? 900 : 10 + row * 2 + (row % 3);
    return `${day},${row % 9 === 0 ? "" : sales},${sales * 3 + (row % 2)},${row % 2 === 0 ? "norte" : "sur"},7,${row}`;
  }),
  "2026-01-05,18,55,norte,7,4",
  "roto",
].join("\n");

const TABLES = [
  ["the shipped weather", readFileSync(path.join(root, "examples/seattle-weather.csv"), "utf8")],
  ["a messy table", MESSY],
  ["a tiny table", "a,b\n1,2\n2,4\n3,7\n"],
] as const;

const outputSchema = z.looseObject({
  findings: z.array(z.looseObject({ kind: z.string(), text: z.string() })),
});

function analysed(csv: string, language: "en" | "es") {
  const { outcome } = runSkill(dataAnalysis, { csv }, { configuration: { language } });
  const result = expectResult(outcome);
  return { ...outputSchema.parse(result.output), summary: result.summary, next: result.next_steps };
}

/** Words that one language has and the other has not. */
const ENGLISH = /\b(the|and|rows|columns|rises|between|missing|values|over)\b/i;
const SPANISH = /\b(el|la|los|las|filas|columnas|valores|entre|falta|faltan|con)\b/i;

describe("what the analysis says", () => {
  it.each(TABLES)(
    "of %s is the same in English and in Spanish, each in its own words",
    (_title, csv) => {
      const english = analysed(csv, "en");
      const spanish = analysed(csv, "es");

      expect(spanish.findings.map(({ kind }) => kind)).toEqual(
        english.findings.map(({ kind }) => kind),
      );
      for (const { text } of english.findings) expect(text).not.toMatch(SPANISH);
      for (const { text } of spanish.findings) expect(text).not.toMatch(ENGLISH);
      expect(spanish.summary).toMatch(SPANISH);
      expect(english.summary).toMatch(ENGLISH);
      for (const step of spanish.next) expect(step).not.toMatch(ENGLISH);
    },
  );
});
