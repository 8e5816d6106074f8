import { ok, refuse, type Result } from "../../../lib/result.ts";
import type { JsonValue } from "../skill.ts";

/** Deeper data has no reader; walking it by recursion could exhaust the stack. js-yaml draws the same line. */
const MAX_DEPTH = 100;
/**
 * Values and characters, aliases counted as often as they are used. Text of 1 MiB without aliases stays below it
 * (at most one value a character), an alias bomb does not.
 */
const MAX_SIZE = 4 * 1_048_576;

interface Measured {
  value: JsonValue;
  size: number;
  depth: number;
}

const DETAILS = {
  too_deep: `The data is nested more than ${MAX_DEPTH} levels deep`,
  too_large: `With every alias written out the data has more than ${MAX_SIZE} values and characters`,
  circular: "A value contains itself",
  not_json: "The data holds a value that JSON has not, such as infinity",
} as const;

/** What stops a value from being taken as JSON. */
export interface NotPlain {
  class: keyof typeof DETAILS;
  detail: string;
}

/**
 * Takes a parsed value as JSON: at most 100 levels deep, and 4 MiB when what is shared is counted at each use.
 *
 * What is shared in the value stays shared in the result, so that a refusal costs no more than the source.
 */
export function plainJson(value: unknown): Result<JsonValue, NotPlain> {
  const measured = new Measure().of(value, 0);
  return typeof measured === "string"
    ? refuse({ class: measured, detail: `${DETAILS[measured]}.` })
    : ok(measured.value);
}

class Measure {
  readonly #known = new Map<object, Measured>();
  readonly #open = new Set<object>();

  of(given: unknown, level: number): Measured | NotPlain["class"] {
    if (typeof given === "string") return { value: given, size: 1 + given.length, depth: 0 };
    if (given === null || typeof given === "boolean") return { value: given, size: 1, depth: 0 };
    if (typeof given === "number" && Number.isFinite(given)) {
      return { value: given, size: 1, depth: 0 };
    }
    if (typeof given !== "object") return "not_json";
    if (level > MAX_DEPTH) return "too_deep";
    if (this.#open.has(given)) return "circular";
    const known = this.#known.get(given) ?? this.#ofParts(given, level);
    if (typeof known !== "string") this.#known.set(given, known);
    return known;
  }

  #ofParts(given: object, level: number): Measured | NotPlain["class"] {
    const parts: (readonly [string, JsonValue])[] = [];
    let size = 1;
    let depth = 0;
    this.#open.add(given);
    for (const [key, part] of Object.entries(given)) {
      const measured = this.of(part, level + 1);
      if (typeof measured === "string") return measured;
      parts.push([key, measured.value]);
      size += key.length + measured.size;
      depth = Math.max(depth, measured.depth + 1);
    }
    this.#open.delete(given);
    if (size > MAX_SIZE) return "too_large";
    // A chain of aliases gets deep without ever nesting in the source.
    if (depth > MAX_DEPTH) return "too_deep";
    const value = Array.isArray(given) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
    return { value, size, depth };
  }
}
