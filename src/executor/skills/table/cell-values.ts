const MISSING = new Set(
  "na n/a #n/a <na> nan -nan null (null) nil none undefined missing - -- --- ? . s/d n/d n.d. #null! #value! #div/0! #ref!".split(
    " ",
  ),
);

const BOOLEANS: ReadonlyMap<string, number> = new Map([
  ...["true", "yes", "y", "t", "sí", "si", "verdadero"].map((word) => [word, 1] as const),
  ...["false", "no", "n", "f", "falso"].map((word) => [word, 0] as const),
]);

const DOT_NUMBER = /^[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,3})?$/i;
const COMMA_NUMBER = /^[+-]?(?:\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d*)?|,\d+)(?:e[+-]?\d{1,3})?$/i;
const UNIT = /^([+-]?)\s*([$€£¥]?)\s*([^\s%$€£¥][^%$€£¥]*?)\s*([%€$£¥]?)$/;

/** Larger magnitudes are not read as numbers: their cubes, needed for skewness, would overflow. */
const LARGEST_MAGNITUDE = 1e90;

/** Smaller ones are read as 0: their squares would vanish and leave a spread that is none. */
const SMALLEST_MAGNITUDE = 1e-90;
/** Longer cells are prose; testing them for a number costs time that grows with the square. */
const LONGEST_NUMBER = 40;

/** How a column writes its decimals. */
export type DecimalMark = "dot" | "comma";

/**
 * Whether a trimmed cell says that its value is missing.
 *
 * The words are those that pandas.read_csv takes as missing, those of spreadsheets' errors, and
 * the usual dashes and "s/d" of hand-kept tables; case does not matter.
 */
export function isMissing(cell: string): boolean {
  return cell === "" || MISSING.has(cell.toLowerCase());
}

/** 1 or 0 for the usual English and Spanish words of yes and no, else null. */
export function readBoolean(cell: string): number | null {
  return BOOLEANS.get(cell.toLowerCase()) ?? null;
}

/**
 * The number that a cell holds, with thousands marks, a currency or a per cent sign allowed; else null.
 *
 * @returns the value as written (12 % is 12) and its sign of unit, "" when it has none
 */
export function readNumber(
  cell: string,
  mark: DecimalMark,
): { value: number; unit: string } | null {
  const match = cell.length > LONGEST_NUMBER ? null : UNIT.exec(cell);
  if (match === null) return null;
  const [sign, currency, digits, suffix] = match.slice(1);
  if (currency !== "" && suffix !== "") return null;
  const joined = `${sign}${digits?.replace(/(?<=\d)[\u00a0\u202f ](?=\d{3}(?!\d))/g, "")}`;
  const value = valueOf(joined, mark);
  if (value === null || Math.abs(value) > LARGEST_MAGNITUDE) return null;
  const isVanishing = Math.abs(value) < SMALLEST_MAGNITUDE;
  return { value: isVanishing ? 0 : value, unit: `${currency}${suffix}` };
}

function valueOf(digits: string, mark: DecimalMark): number | null {
  if (mark === "dot") return DOT_NUMBER.test(digits) ? Number(digits.replaceAll(",", "")) : null;
  if (!COMMA_NUMBER.test(digits)) return null;
  return Number(digits.replaceAll(".", "").replace(",", "."));
}
