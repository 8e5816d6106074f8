import { longestTextFor, readyPattern, stepsOf } from "./pattern-limits.ts";

/** Steps of a search that take as long as applying one part: 2 microseconds of 2 nanoseconds each. */
const STEPS_PER_PART = 1_000;

/** A search that may take more steps than these, a tenth of a millisecond, is worth making its pattern ready. */
const LONG_SEARCH = 50_000;

/** What reading a member of a watched document takes, in parts: half a microsecond; `uniqueItems` reads each with each. */
const PARTS_PER_READING = 0.25;

type Part = {
  $recursiveRef?: string | undefined;
  pattern?: string;
  patternProperties?: Record<string, unknown>;
};

/**
 * Makes a dereferenced JSON Schema throw a RangeError when its parts are applied more than `most` times: references that
 * double from one to the next would otherwise keep whoever validates busy without end. A search for a pattern counts by
 * the steps that it may take on the text or name that it meets, and one that may take too many is not begun.
 *
 * It counts by what the validator (@cfworker/json-schema) reads: of each part `$recursiveRef` once for each value that it
 * applies the part to, and of the document each text just before it is judged. So the parts must be a copy that is used
 * for one judgement, of the document that is given back.
 *
 * @param document what is to be judged
 */
export function limitSteps<T>(
  parts: Readonly<Record<string, boolean | Part>>,
  most: number,
  document: T,
): T {
  const watch = new Watch(most);
  let hasPatterns = false;
  for (const part of new Set(Object.values(parts))) {
    if (typeof part === "boolean") continue;
    watch.count(part);
    const { pattern, patternProperties } = part;
    if (typeof pattern === "string") watch.countPattern(part, pattern);
    if (isObject(patternProperties)) watch.countNames(patternProperties);
    hasPatterns ||= typeof pattern === "string" || isObject(patternProperties);
  }
  // What is frozen can't be watched, and the copy of a document never is.
  return hasPatterns ? watch.watched(structuredClone(document)) : document;
}

class Watch {
  #left: number;
  /** Length of the text that was read last, or of the longest name of the object whose names were. */
  #length = 0;
  /** Patterns that the names that are read next are judged by. */
  #patterns: string[] = [];

  constructor(most: number) {
    this.#left = most;
  }

  count(part: Part): void {
    const { $recursiveRef } = part;
    Object.defineProperty(part, "$recursiveRef", {
      get: () => {
        this.#take(1);
        return $recursiveRef;
      },
    });
  }

  /** The validator makes a RegExp of a pattern when it searches a text, and only then asks for the pattern's characters. */
  countPattern(part: Part, pattern: string): void {
    const toString = () => {
      this.#search(pattern, this.#length);
      return pattern;
    };
    Object.defineProperty(part, "pattern", { value: { toString } });
  }

  /** The validator reads all of patternProperties, and then the names of the object, for each of them. */
  countNames(patternProperties: Record<string, unknown>): void {
    for (const [pattern, part] of Object.entries(patternProperties)) {
      const get = () => {
        this.#patterns.push(pattern);
        return part;
      };
      Object.defineProperty(patternProperties, pattern, { enumerable: true, get });
    }
  }

  watched<V>(value: V): V {
    this.#length = typeof value === "string" ? value.length : 0;
    if (!isObject(value)) return value;
    return new Proxy(value, {
      get: (target, name) => {
        this.#take(PARTS_PER_READING);
        const inner: unknown = Reflect.get(target, name);
        return this.watched(inner);
      },
      ownKeys: (target) => {
        const names = Reflect.ownKeys(target);
        this.#take(names.length * PARTS_PER_READING);
        this.#readNames(names.map((name) => String(name).length));
        return names;
      },
    });
  }

  #readNames(lengths: readonly number[]): void {
    for (const pattern of this.#patterns) {
      for (const length of lengths) this.#search(pattern, length);
    }
    this.#patterns = [];
    this.#length = lengths.reduce((most, length) => Math.max(most, length), 0);
  }

  #search(pattern: string, length: number): void {
    const longest = longestTextFor(pattern);
    if (length > longest) {
      const shown = JSON.stringify(pattern.slice(0, 80));
      throw new RangeError(
        `its pattern ${shown} is tried on texts of up to ${longest} characters, and one has ${length}`,
      );
    }
    const steps = stepsOf(pattern, length);
    this.#take(steps / STEPS_PER_PART);
    if (steps > LONG_SEARCH) readyPattern(pattern);
  }

  #take(parts: number): void {
    this.#left -= parts;
    if (this.#left < 0) throw new RangeError("it takes too many steps");
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object";
}
