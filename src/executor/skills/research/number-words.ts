import type { Language } from "../language.ts";

const UNITS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const UNIDADES =
  "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve".split(
    " ",
  );
const CENTENAS =
  "doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos".split(
    " ",
  );
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const DECENAS = "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa".split(" ");

const VALUES: ReadonlyMap<string, number> = new Map([
  ...UNITS.map((word, at): [string, number] => [word, at]),
  ...UNIDADES.map((word, at): [string, number] => [word, at]),
  ...[TENS, DECENAS].flatMap((tens) =>
    tens.map((word, at): [string, number] => [word, 10 * (at + 2)]),
  ),
  ...CENTENAS.flatMap((word, at): [string, number][] => [
    [word, 100 * (at + 2)],
    [word.replace(/os$/, "as"), 100 * (at + 2)],
  ]),
  ["un", 1],
  ["una", 1],
  ["cien", 100],
  ["ciento", 100],
]);
/** What stands before these is taken so many times. */
const FACTORS: ReadonlyMap<string, number> = new Map([
  ["dozen", 12],
  ["hundred", 100],
]);
const THOUSAND = /^(?:thousand|mil)$/;
const DIGITS = /^-?\d+(?:[.,\u00a0]\d+)*/;

/** A number apart from what it counts or measures. */
interface ReadNumber {
  /** One form for equal numbers; what is no number stays as it is, in lower case. */
  plain: string;
  /** What follows it: "metres" of "two hundred metres". */
  unit: string;
}

/**
 * Parts a number from its unit: "two hundred metres", "12 mil euros".
 *
 * @param language of the text, which decides what a single point before three digits parts
 */
export function readNumber(text: string, language: Language): ReadNumber {
  const [digits] = DIGITS.exec(text) ?? [];
  const words = text.slice(digits?.length ?? 0).split(/(?=[ -]+)/u);
  let taken = 0;
  while (taken < words.length && isPart(words[taken] ?? "", digits !== undefined)) taken += 1;
  // A word that is no number, such as "dozens", is one all the same.
  if (digits === undefined) taken = Math.max(1, taken);
  const value = (digits ?? "") + words.slice(0, taken).join("");
  return { plain: plainNumber(value, language), unit: words.slice(taken).join("").trim() };
}

function isPart(word: string, isAfterDigits: boolean): boolean {
  const bare = bareWord(word.replace(/^[ -]+/u, ""));
  if (THOUSAND.test(bare)) return true;
  return !isAfterDigits && (/^(?:and|y)$/.test(bare) || VALUES.has(bare) || FACTORS.has(bare));
}

/**
 * One form for equal numbers: "fourteen", "catorce" and "14", "two hundred" and "200", "12,000" and "12000", "3,5" and "3.5".
 *
 * What is no such number stays as it is, in lower case. A comma before three last digits parts thousands, and so does a
 * point in Spanish or where there are several; behind a lone zero either parts decimals.
 */
export function plainNumber(text: string, language: Language): string {
  const lower = text.toLowerCase().trim();
  const [digits] = DIGITS.exec(lower) ?? [];
  if (digits !== undefined) {
    const plain = plainDigits(digits, language);
    const isThousands = THOUSAND.test(lower.slice(digits.length).trim());
    if (isThousands) return String(1_000 * Number(plain));
    return plain + lower.slice(digits.length);
  }
  const sum = valueOf(bareWord(lower).split(/[ -](?:(?:and|y) )?/u));
  return sum === null ? lower : String(sum);
}

function plainDigits(digits: string, language: Language): string {
  const bare = digits.replaceAll("\u00a0", "");
  const marks = bare.match(/[.,]/g) ?? [];
  const last = marks.at(-1);
  if (last === undefined) return bare;
  const at = bare.lastIndexOf(last);
  const isSeveral = marks.every((mark) => mark === last) && marks.length > 1;
  const isMixed = marks.some((mark) => mark !== last);
  const looksLikeThousands = /^\d{3}$/.test(bare.slice(at + 1)) && !/^-?0[.,]/.test(bare);
  const isThousands = isSeveral || (looksLikeThousands && (last === "," || language === "es"));
  const isDecimal = isMixed ? marks.filter((mark) => mark === last).length === 1 : !isThousands;
  const whole = bare.slice(0, at).replaceAll(/[.,]/g, "");
  const rest = bare.slice(at + 1);
  if (!isDecimal) return whole + rest;
  const decimals = rest.replace(/0+$/, "");
  return decimals === "" ? whole : `${whole}.${decimals}`;
}

/** The value of number words; null where they are not one number ("nineteen ninety", "dozens"). */
function valueOf(words: readonly string[]): number | null {
  let thousands = 0;
  let rest = 0;
  for (const word of words) {
    const value = VALUES.get(word);
    const factor = FACTORS.get(word);
    if (THOUSAND.test(word)) {
      thousands += 1_000 * (rest || 1);
      rest = 0;
    } else if (factor !== undefined) rest = factor * (rest || 1);
    else if (value !== undefined && fits(rest, value)) rest += value;
    else return null;
  }
  return thousands + rest;
}

/** Each word says a smaller place than the one before: "hundred twenty five". */
function fits(before: number, value: number): boolean {
  const place = value < 10 ? 10 : value < 100 ? 100 : 1_000;
  return before % place === 0;
}

function bareWord(word: string): string {
  return word.toLowerCase().normalize("NFD").replaceAll(/\p{M}/gu, "");
}
