const UNITS =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const UNIDADES =
  "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve veinte veintiuno veintidos veintitres veinticuatro veinticinco veintiseis veintisiete veintiocho veintinueve".split(
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
  ["un", 1],
  ["una", 1],
  ["hundred", 100],
  ["cien", 100],
  ["ciento", 100],
  ["thousand", 1000],
  ["mil", 1000],
]);

/**
 * One form for equal numbers: "fourteen", "catorce" and "14", "12,000" and "12.000", "3,5" and "3.5".
 *
 * What is no such number stays as it is, in lower case. A point or comma before three last digits parts thousands.
 */
export function plainNumber(text: string): string {
  const lower = text.toLowerCase().trim();
  if (/^-?\d/.test(lower)) {
    return lower.replaceAll(/[.,\u00a0](?=\d{3}(?!\d))/g, "").replace(/,(?=\d+$)/, ".");
  }
  const words = lower
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .split(/[ -](?:y )?/u);
  const values = words.map((word) => VALUES.get(word));
  const sum = values.reduce<number>((total, value) => total + (value ?? Number.NaN), 0);
  return Number.isNaN(sum) ? lower : String(sum);
}
