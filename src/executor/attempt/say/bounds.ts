/** A text of a message holds at most so many characters (protocol.md §7, Notifications). */
const LONGEST_TEXT = 10_000;

/** A word of a message. */
const LONGEST_WORD = 100;

/** Entries of a list of texts in a message. */
const MOST_TEXTS = 100;

/**
 * Bytes of JSON that a result may have together with what is said of it. A row of the task's log holds 2 MB
 * (facts/platform.md §4), and the result is in it twice, as the completion and as the verdict.
 */
export const MOST_RESULT_BYTES = 900_000;

/** A text as a message may carry it. @param otherwise what stands for an empty one */
export function textOf(text: string, otherwise = "not told"): string {
  return text.slice(0, LONGEST_TEXT).toWellFormed() || otherwise;
}

/** A word as a message may carry it. */
export function wordOf(word: string): string {
  return word.slice(0, LONGEST_WORD).toWellFormed() || "unknown";
}

/** A list of texts as a message may carry it. */
export function textsOf(list: readonly string[]): string[] {
  return list
    .filter((text) => text !== "")
    .slice(0, MOST_TEXTS)
    .map((text) => textOf(text));
}

/** Bytes of a value as JSON in UTF-8, as rows hold it. */
export function bytesOf(value: unknown): number {
  return new TextEncoder().encode(JSON.stringify(value ?? null)).length;
}

/** Whether the task can keep it: what is larger would not even fail, but never be heard of. */
export function isKeepable(value: unknown): boolean {
  return bytesOf(value) <= MOST_RESULT_BYTES;
}
