import { isMissing, readBoolean, readNumber, type DecimalMark } from "./cell-values.ts";
import { readDate, readYear, type DateValue, type DayOrder } from "./date-values.ts";
import type { RawColumn, RawTable } from "./raw-table.ts";

export type ColumnType =
  | "integer"
  | "number"
  | "boolean"
  | "date"
  | "datetime"
  | "category"
  | "text"
  | "identifier"
  | "empty";

/** A column with its type and its values, one per row. */
export interface Column {
  name: string;
  is_named: boolean;
  type: ColumnType;
  /** The text of each cell, null where it is missing. */
  labels: (string | null)[];
  /** Numbers; epoch milliseconds of dates; 0 and 1 of booleans. Empty for other types. */
  values: (number | null)[];
  missing: number;
  distinct: number;
  /** Cells that are there but do not fit the type. */
  unreadable: string[];
  /** Currency or per cent sign that every number carries, else null. */
  unit: string | null;
  /** Dates that read otherwise if the day came in the other place, and nothing decides. */
  has_ambiguous_dates: boolean;
}

/** A column keeps its type although this share of its cells does not fit: typing slips happen. */
const TOLERATED_MISFITS = 0.1;
/** Words are groups when they repeat: few ones at least twice on average, many ones five times. */
const FEW_CATEGORIES = { distinct: 50, repeats: 2 };
const MANY_CATEGORIES = { distinct: 200, repeats: 5 };
const MAX_GROUP_NUMBERS = 20;

const YEAR_NAME = /(^|[^a-z])(year|yr|año|anio|ano|jahr)s?($|[^a-z])/i;
const IDENTIFIER_NAME =
  /(^|[^a-z])(id|ids|uuid|guid|key|index|row|rownum|no|nr|code|código|codigo|zip|zipcode|postcode|postal|phone|tel|teléfono|telefono|sku|isbn)($|[^a-z])/i;
/** Whole numbers under such a name are labels: their mean would mean nothing. */
const GROUP_NAME =
  /(^|[^a-z])(cluster|group|class|category|segment|grupo|clase|categoría|categoria|segmento)($|[^a-z])/i;
const CAMEL_ID = /[a-z]I[dD]$/;

interface Reading {
  type: ColumnType;
  values: (number | null)[];
  unit?: string | null;
  has_ambiguous_dates?: boolean;
}

/** Infers each column's type from its cells (and, for years and identifiers, its name). */
export function typeColumns(table: RawTable): Column[] {
  return table.columns.map((raw) => typeColumn(raw, table.source.delimiter === ";"));
}

function typeColumn(raw: RawColumn, prefersComma: boolean): Column {
  const labels = raw.cells.map((cell) => (isMissing(cell) ? null : cell));
  const present = labels.filter((label) => label !== null);
  const reading = readColumn(raw.name, labels, present, prefersComma);
  const unreadable = labels.filter(
    (label, row) => label !== null && reading.values.length > 0 && reading.values[row] === null,
  );
  return {
    name: raw.name,
    is_named: raw.is_named,
    type: reading.type,
    labels,
    values: reading.values,
    missing: labels.length - present.length,
    distinct: new Set(present).size,
    unreadable: unreadable.filter((label) => label !== null),
    unit: reading.unit ?? null,
    has_ambiguous_dates: reading.has_ambiguous_dates ?? false,
  };
}

function readColumn(
  name: string,
  labels: readonly (string | null)[],
  present: readonly string[],
  prefersComma: boolean,
): Reading {
  if (present.length === 0) return { type: "empty", values: [] };
  return (
    asBoolean(labels, present) ??
    asDate(name, labels, present) ??
    asNumber(name, labels, present, prefersComma) ??
    asWords(name, present)
  );
}

function asBoolean(labels: readonly (string | null)[], present: readonly string[]): Reading | null {
  const isFlag = present.every((cell) => cell === "0" || cell === "1");
  const bothSeen = new Set(present).size === 2;
  if (isFlag && bothSeen) {
    return { type: "boolean", values: labels.map((cell) => (cell === null ? null : Number(cell))) };
  }
  // A lone "n" or "y" is more often a code than an answer, so short forms need both answers.
  const answers = present.every((cell) => readBoolean(cell) !== null);
  if (!answers || (!bothSeen && present.some((cell) => cell.length === 1))) return null;
  return {
    type: "boolean",
    values: labels.map((cell) => (cell === null ? null : readBoolean(cell))),
  };
}

function asDate(
  name: string,
  labels: readonly (string | null)[],
  present: readonly string[],
): Reading | null {
  if (YEAR_NAME.test(name)) {
    const years = labels.map((cell) => (cell === null ? null : readYear(cell)));
    if (fits(years, present.length)) return dateReading(years, false);
  }
  const read = (order: DayOrder) =>
    labels.map((cell) => (cell === null ? null : readDate(cell, order)));
  const monthFirst = read("month_first");
  if (monthFirst.every((date) => date === null || !date.order_matters)) {
    const dayFirst = read("day_first");
    const better = count(dayFirst) > count(monthFirst) ? dayFirst : monthFirst;
    return fits(better, present.length) ? dateReading(better, false) : null;
  }
  const dayFirst = read("day_first");
  const [more, fewer] =
    count(dayFirst) >= count(monthFirst) ? [dayFirst, monthFirst] : [monthFirst, dayFirst];
  if (!fits(more, present.length)) return null;
  return dateReading(more, count(more) === count(fewer));
}

function dateReading(dates: readonly (DateValue | null)[], has_ambiguous_dates: boolean): Reading {
  return {
    type: dates.some((date) => date?.has_time) ? "datetime" : "date",
    values: dates.map((date) => date?.epoch_ms ?? null),
    has_ambiguous_dates,
  };
}

function asNumber(
  name: string,
  labels: readonly (string | null)[],
  present: readonly string[],
  prefersComma: boolean,
): Reading | null {
  const read = (mark: DecimalMark) =>
    labels.map((cell) => (cell === null ? null : readNumber(cell, mark)));
  const dot = read("dot");
  const comma = present.some((cell) => cell.includes(",")) ? read("comma") : dot;
  const commaWins = prefersComma ? count(comma) >= count(dot) : count(comma) > count(dot);
  const numbers = commaWins ? comma : dot;
  if (!fits(numbers, present.length)) return null;
  if (isIdentifier(name, present, numbers)) return { type: "identifier", values: [] };
  const distinct = new Set(present).size;
  if (GROUP_NAME.test(name) && distinct <= Math.min(MAX_GROUP_NUMBERS, present.length / 2)) {
    return { type: "category", values: [] };
  }
  const values = numbers.map((number) => number?.value ?? null);
  const units = new Set(numbers.flatMap((number) => (number === null ? [] : [number.unit])));
  const [unit = ""] = units;
  return {
    type: values.every((value) => value === null || Number.isInteger(value)) ? "integer" : "number",
    values,
    unit: units.size === 1 && unit !== "" ? unit : null,
  };
}

function asWords(name: string, present: readonly string[]): Reading {
  const distinct = new Set(present).size;
  const isGroup = [FEW_CATEGORIES, MANY_CATEGORIES].some(
    (limit) => distinct <= limit.distinct && present.length >= limit.repeats * distinct,
  );
  if (isGroup || (distinct === 1 && present.length > 1)) {
    return { type: "category", values: [] };
  }
  const isCode = present.every((cell) => /^[\p{L}\d]+(?:[-_:./][\p{L}\d]+)*$/u.test(cell));
  const hasDigits = present.every((cell) => /\d/.test(cell));
  const isUnique = distinct === present.length && present.length > 1;
  const isIdentifying = isUnique && isCode && (hasDigits || namesIdentifier(name));
  return { type: isIdentifying ? "identifier" : "text", values: [] };
}

/**
 * Whether numbers name things rather than measure them.
 *
 * Leading zeros, or whole numbers without repetition that the name calls an identifier or that count
 * the rows one by one.
 */
function isIdentifier(
  name: string,
  present: readonly string[],
  numbers: readonly ({ value: number } | null)[],
): boolean {
  if (present.some((cell) => /^0\d+$/.test(cell))) return true;
  const values = numbers.flatMap((number) => (number === null ? [] : [number.value]));
  if (!values.every(Number.isInteger) || values.length < 2) return false;
  const isUnique = new Set(values).size === values.length;
  if (namesIdentifier(name)) return isUnique || /zip|post|phone|tel|code|digo|id\b/i.test(name);
  const countsRows = values.every((value, row) => value === (values[0] ?? 0) + row);
  return countsRows && values.length >= 10 && (values[0] === 0 || values[0] === 1);
}

function namesIdentifier(name: string): boolean {
  return IDENTIFIER_NAME.test(name) || CAMEL_ID.test(name);
}

function count(readings: readonly unknown[]): number {
  return readings.filter((reading) => reading !== null).length;
}

function fits(readings: readonly unknown[], present: number): boolean {
  return count(readings) >= (1 - TOLERATED_MISFITS) * present;
}
