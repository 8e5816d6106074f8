import { globSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { fill, type Dictionary } from "../../src/console/words/dictionary.ts";
import { termWords } from "../../src/console/words/terms.ts";
import {
  deliveryStateSchema,
  endReasonSchema,
  prioritySchema,
  severitySchema,
  taskPhaseSchema,
  taskStatusSchema,
  taskTypeSchema,
} from "../../src/protocol/enums.ts";

const folder = path.join(import.meta.dirname, "../../src/console/words");
const files = globSync("*.ts", { cwd: folder }).filter((file) => file !== "dictionary.ts");

/** The dictionaries of a file, by the names of their exports. */
async function dictionariesOf(file: string) {
  const module: Record<string, unknown> = await import(path.join(folder, file));
  return Object.entries(module) as [string, Dictionary<string>][];
}

const placesOf = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).toSorted();

describe("the words of the console", () => {
  it.each(files)("are the same keys with the same places in both languages: %s", async (file) => {
    const found = await dictionariesOf(file);

    expect(found.length).toBeGreaterThan(0);
    for (const [name, { en, es }] of found) {
      expect([name, Object.keys(es)]).toEqual([name, Object.keys(en)]);
      expect(Object.values(es).map(placesOf)).toEqual(Object.values(en).map(placesOf));
      expect(Object.values({ ...en, ...es }).filter((text) => text.trim() === "")).toEqual([]);
    }
  });

  it("know every status, phase, type, priority, severity, state and end of the contract", () => {
    const words = [
      taskStatusSchema,
      taskPhaseSchema,
      taskTypeSchema,
      prioritySchema,
      severitySchema,
      deliveryStateSchema,
      endReasonSchema,
    ].flatMap(({ options }) => options as readonly string[]);

    expect(words.filter((word) => !Object.hasOwn(termWords.en, word))).toEqual([]);
  });
});

describe("a text with places", () => {
  it("takes values as they are, and keeps places without one", () => {
    expect(fill("{n} of {all}, {n}", { n: 3 })).toBe("3 of {all}, 3");
    expect(fill("{a}", { a: "$& {b}", b: "x" })).toBe("$& {b}");
  });
});
