import { ownPatterns, stepsOf } from "./pattern-limits.ts";

/** Steps of a search that take as long as applying one part: 2 microseconds of 10 nanoseconds each. */
const STEPS_PER_PART = 200;

/** What of a document decides how long its judgement takes. */
interface Extent {
  /** Length of the longest text or name. */
  text: number;
  /** Names of the object that has the most. */
  names: number;
}

/**
 * Makes a dereferenced JSON Schema throw a RangeError when its parts are applied more than `most` times: references that
 * double from one to the next would otherwise keep whoever validates busy without end. A part with patterns counts as
 * often as they take steps, on the longest text there is.
 *
 * It counts by a keyword that the validator (@cfworker/json-schema) reads of each part once for each value that it
 * applies the part to, so the parts must be a copy that is used for one judgement.
 *
 * @param document what is judged
 */
export function limitSteps(
  parts: Readonly<Record<string, boolean | { $recursiveRef?: string | undefined }>>,
  most: number,
  document: unknown,
): void {
  let steps = 0;
  const extent = extentOf(document);
  for (const part of new Set(Object.values(parts))) {
    if (typeof part === "boolean") continue;
    const { $recursiveRef } = part;
    const weight = weightOf(part, extent);
    Object.defineProperty(part, "$recursiveRef", {
      get: () => {
        steps += weight;
        if (steps > most) throw new RangeError("it takes too many steps");
        return $recursiveRef;
      },
    });
  }
}

function weightOf(part: object, { text, names }: Extent): number {
  const steps = Object.entries(part).reduce((sum, [key, value]: [string, unknown]) => {
    const times = key === "pattern" ? 1 : names;
    return sum + times * stepsOf(ownPatterns(key, value), text);
  }, 0);
  return 1 + steps / STEPS_PER_PART;
}

function extentOf(value: unknown): Extent {
  if (typeof value === "string") return { text: value.length, names: 0 };
  const extent = { text: 0, names: 0 };
  if (value === null || typeof value !== "object") return extent;
  const entries = Object.entries(value);
  if (!Array.isArray(value)) extent.names = entries.length;
  for (const [name, inner] of entries) {
    const { text, names } = extentOf(inner);
    extent.text = Math.max(extent.text, name.length, text);
    extent.names = Math.max(extent.names, names);
  }
  return extent;
}
