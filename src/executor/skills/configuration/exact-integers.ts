import { leavesOf } from "../formats/json-value.ts";
import { placeOf, type TextFault } from "../formats/text-fault.ts";
import type { JsonValue } from "../skill.ts";

const INTEGER = /[-+]?(?:0x[\da-f]+|0o[0-7]+|\d+)(?![\w.])/iy;

/** Digits that a double may have in an integer: 1.8e308 (IEEE 754 binary64). */
const MOST_DIGITS = 309;

function isExact(written: string, value: number): boolean {
  const digits = written.replace(/^[-+]/, "");
  return digits.length <= MOST_DIGITS && BigInt(digits) === BigInt(Math.abs(value));
}

/**
 * The first integer of a text that a double, which JSON's readers take numbers for, holds as another one: an account of
 * 20 digits would otherwise end in zeros, and no comparison would tell. Null when there is none.
 *
 * @param values of the text's documents
 * @param offsets of the values of each
 */
export function inexactInteger(
  text: string,
  values: readonly JsonValue[],
  offsets: readonly ReadonlyMap<string, number>[],
): TextFault | null {
  for (const [index, value] of values.entries()) {
    for (const [pointer, leaf] of leavesOf(value)) {
      if (typeof leaf !== "number" || Math.abs(leaf) <= Number.MAX_SAFE_INTEGER) continue;
      INTEGER.lastIndex = offsets[index]?.get(pointer) ?? text.length;
      const [written] = INTEGER.exec(text) ?? [];
      if (written === undefined || isExact(written, leaf)) continue;
      const shown = written.slice(0, 40);
      const detail = `The integer ${shown} would become ${leaf}: put it in quotes to keep its digits.`;
      return { ...placeOf(text, offsets[index]?.get(pointer) ?? 0), detail };
    }
  }
  return null;
}
