import * as z from "zod";

import type { Complexity } from "../../../protocol/enums.ts";
import type { Band } from "../router-port.ts";
import { CODE, REASONING, SIMPLE, STEPS, TECHNICAL } from "./band-words.ts";

/* How hard a task is, from what can be counted in it: no model, no clock, no draw. */

export const bandSchema = z.enum(["low", "medium", "high"]);

/** What was counted in a description. A record holds these and not the text, and is made again from them. */
export const featuresSchema = z.strictObject({
  characters: z.int().min(0),
  input_characters: z.int().min(0),
  code: z.int().min(0),
  reasoning: z.int().min(0),
  technical: z.int().min(0),
  steps: z.int().min(0),
  questions: z.int().min(0),
  simple: z.int().min(0),
});
export type Features = z.infer<typeof featuresSchema>;

/** Characters of a description that are looked at. Longer ones are counted as long, and not read to their end. */
const MOST_READ = 20_000;

/**
 * What code looks like: a fence, a call, an arrow, a member, a line that ends like one of code. Each part
 * is bounded, so that no text takes long to read.
 */
const CODE_FORMS = /```|\w\([^()\n]{0,100}\)|=>|\w\.\w{1,100}\(|[;{}][ \t]{0,100}$/gm;

/** An item of a list, by number, letter or dash. */
const LIST_ITEMS = /^[ \t]{0,100}(?:\d{1,3}[.)]|[a-z][)]|[-*•])[ \t]{1,100}\S/gim;

/**
 * What each feature adds at its most, and how many of it are the most. The weights are those of LiteLLM's complexity
 * router (facts/orchestration.md §3.1: code 0.30, reasoning 0.25, technical 0.25, length 0.10, simple 0.05, steps 0.03,
 * questions 0.02); there `simple` takes away as here.
 */
const SIGNALS = {
  code: { weight: 0.3, most: 3 },
  reasoning: { weight: 0.25, most: 2 },
  technical: { weight: 0.25, most: 3 },
  steps: { weight: 0.03, most: 3 },
  questions: { weight: 0.02, most: 3 },
  simple: { weight: -0.05, most: 1 },
} as const;

/** Of the length, description and input together: from 200 characters (nothing) to 200,000 (all), in powers of ten. */
const LENGTH = { weight: 0.1, least: 200, most: 200_000 };

/**
 * The least score of the upper bands. The same source cuts at 0.15, 0.35 and 0.60; its upper two tiers are one band
 * here.
 */
const LEAST = { medium: 0.15, high: 0.35 };

function plain(text: string): string {
  const words = text
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ");
  return ` ${words} `;
}

/** How many of the words are there, each once: a word that is repeated makes nothing harder. */
function countOf(text: string, words: readonly string[]): number {
  return words.filter((word) => text.includes(` ${word} `)).length;
}

/** What can be counted in a task's description and input. */
export function featuresOf(description: string, input_characters: number): Features {
  const read = description.slice(0, MOST_READ);
  const text = plain(read);
  return {
    characters: description.length,
    input_characters,
    code: countOf(text, CODE) + (read.match(CODE_FORMS)?.length ?? 0),
    reasoning: countOf(text, REASONING),
    technical: countOf(text, TECHNICAL),
    steps: countOf(text, STEPS) + (read.match(LIST_ITEMS)?.length ?? 0),
    questions: read.match(/\?/g)?.length ?? 0,
    simple: countOf(text, SIMPLE),
  };
}

function lengthShare(characters: number): number {
  const { least, most } = LENGTH;
  if (characters <= least) return 0;
  return Math.min(1, Math.log10(characters / least) / Math.log10(most / least));
}

function scoreOf(features: Features): number {
  const { characters, input_characters } = features;
  let score = LENGTH.weight * lengthShare(characters + input_characters);
  for (const name of ["code", "reasoning", "technical", "steps", "questions", "simple"] as const) {
    const { weight, most } = SIGNALS[name];
    score += weight * Math.min(1, features[name] / most);
  }
  return Math.round(Math.max(0, score) * 10_000) / 10_000;
}

/** The band of a task, its score, and who said so: the caller's own judgement stands, `critical` being high. */
export function bandOf(
  features: Features,
  complexity: Complexity | null,
): { band: Band; score: number; by: "caller" | "scorer" } {
  const score = scoreOf(features);
  if (complexity !== null) {
    return { band: complexity === "critical" ? "high" : complexity, score, by: "caller" };
  }
  const band = score >= LEAST.high ? "high" : score >= LEAST.medium ? "medium" : "low";
  return { band, score, by: "scorer" };
}
