import { leavesOf, pointerParts } from "../formats/json-value.ts";
import { placeOf, type TextFault } from "../formats/text-fault.ts";
import type { JsonValue } from "../skill.ts";

const INTEGER = /[-+]?(?:0x[\da-f]+|0o[0-7]+|\d+)(?![\w.])/iy;

/** From here on a double has no form without an exponent (ECMA-262, Number::toString). */
const MOST_DIGITS = 21;

/** Whether an integer is written with the same digits again: those of a double are as few as tell it from others. */
function isExact(written: string, again: string): boolean {
  const digits = written.replace(/^[-+]/, "");
  const isPlain = digits.length <= MOST_DIGITS && /^-?\d+$/.test(again);
  return isPlain && BigInt(digits) === BigInt(again.replace("-", ""));
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
    for (const [at, becomes] of [...namesOf(offsets[index]), ...numbersOf(value, offsets[index])]) {
      // A name in quotes begins behind them.
      if (/["']/.test(text[at - 1] ?? "")) continue;
      INTEGER.lastIndex = at;
      const [written] = INTEGER.exec(text) ?? [];
      if (written === undefined || isExact(written, becomes)) continue;
      const shown = written.slice(0, 40);
      const detail = `The integer ${shown} would become ${becomes}: put it in quotes to keep its digits.`;
      return { ...placeOf(text, at), detail };
    }
  }
  return null;
}

/** Where numbers stand that may be others than are written, and how they would be written again. */
function numbersOf(
  value: JsonValue,
  offsets: ReadonlyMap<string, number> | undefined,
): [number, string][] {
  return [...leavesOf(value)].flatMap(([pointer, leaf]): [number, string][] => {
    const at = offsets?.get(pointer);
    const isLarge = typeof leaf === "number" && Math.abs(leaf) > Number.MAX_SAFE_INTEGER;
    return isLarge && at !== undefined ? [[at, String(leaf)]] : [];
  });
}

/** The same of names: YAML takes one without quotes for a number first. */
function namesOf(offsets: ReadonlyMap<string, number> | undefined): [number, string][] {
  return [...(offsets ?? [])].flatMap(([pointer, at]): [number, string][] => {
    if (!pointer.startsWith("#")) return [];
    const name = pointerParts(pointer.slice(1))?.at(-1) ?? "";
    const isLarge = Math.abs(Number(name)) > Number.MAX_SAFE_INTEGER;
    return isLarge ? [[at, String(Number(name))]] : [];
  });
}
