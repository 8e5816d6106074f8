import { isRecord, text } from "./shape.ts";

/** Where results keep what they say in sentences: one text, or a list of texts or of objects with one. */
const ONE = ["answer", "summary", "execution_summary", "text"];
const MANY = ["findings", "key_points", "recommendations"];

/** Most sentences that are picked out; the result itself has them all. */
const MOST = 20;

function sentenceOf(item: unknown): string {
  return isRecord(item) ? text(item["text"]) : typeof item === "string" ? item : "";
}

/**
 * The sentences of a result, for people: executors answer in JSON of any form, so this only picks what is plainly
 * text. Empty where nothing is.
 */
export function sentencesOf(result: unknown): string[] {
  if (typeof result === "string") return [result];
  if (!isRecord(result)) return [];
  const one = ONE.map((name) => sentenceOf(result[name]));
  const many = MANY.flatMap((name) => {
    const list = result[name];
    return Array.isArray(list) ? list.map(sentenceOf) : [];
  });
  return [...one, ...many].filter((sentence) => sentence.trim() !== "").slice(0, MOST);
}
