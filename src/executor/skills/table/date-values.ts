/** Which of the first two figures of 03/04/2020 is the day. */
export type DayOrder = "day_first" | "month_first";

/** An instant read from a cell, in epoch milliseconds, UTC where the cell names no offset. */
export interface DateValue {
  epoch_ms: number;
  has_time: boolean;
  /** Read correctly only if the day order is the right one. */
  order_matters: boolean;
}

const CLOCK =
  "(?:[T ]+(\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,]\\d{1,9})?)?\\s*([ap]\\.?\\s?m\\.?)?\\s*(Z|UTC|[+-]\\d{2}:?\\d{2})?)?";
const YEAR_FIRST = new RegExp(`^(\\d{4})([-/.])(\\d{1,2})(?:\\2(\\d{1,2}))?${CLOCK}$`, "i");
const YEAR_LAST = new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4}|\\d{2})${CLOCK}$`, "i");
const DAY_MONTH_NAME = new RegExp(
  `^(\\d{1,2})[ -](?:de )?([a-zñ]{3,10})\\.?[ -](?:de )?(\\d{4})${CLOCK}$`,
  "i",
);
const MONTH_NAME_DAY = new RegExp(
  `^([a-zñ]{3,10})\\.? (?:(\\d{1,2})(?:st|nd|rd|th)?,? |de )?(\\d{4})${CLOCK}$`,
  "i",
);
const QUARTER = /^(\d{4})[- ]?[QT]([1-4])$/i;

const MONTHS: readonly (readonly string[])[] = [
  ["january", "enero"],
  ["february", "febrero"],
  ["march", "marzo"],
  ["april", "abril"],
  ["may", "mayo"],
  ["june", "junio"],
  ["july", "julio"],
  ["august", "agosto"],
  ["september", "septiembre", "setiembre"],
  ["october", "octubre"],
  ["november", "noviembre"],
  ["december", "diciembre"],
];

/**
 * Reads a date or an instant, as ISO 8601 and as English and Spanish tables write it; else null.
 *
 * A day that its month does not have is no date. Two-digit years are 1970 to 2069 (POSIX strptime
 * begins at 1969; the difference is one year nobody tabulates).
 */
export function readDate(cell: string, order: DayOrder): DateValue | null {
  if (cell.length > 40 || !/\d/.test(cell)) return null;
  return (
    readYearFirst(cell) ?? readYearLast(cell, order) ?? readMonthName(cell) ?? readQuarter(cell)
  );
}

/** Reads a bare year between 1000 and 2999 as its first day; for columns whose name says year. */
export function readYear(cell: string): DateValue | null {
  return /^[12]\d{3}$/.test(cell) ? dateFrom([Number(cell), 1, 1], [], false) : null;
}

function readYearFirst(cell: string): DateValue | null {
  const match = YEAR_FIRST.exec(cell);
  if (match === null) return null;
  const [, year, , month, day = "1", ...clock] = match;
  return dateFrom([Number(year), Number(month), Number(day)], clock, false);
}

function readYearLast(cell: string, order: DayOrder): DateValue | null {
  const match = YEAR_LAST.exec(cell);
  if (match === null) return null;
  const [, first, , second, yearText = "", ...clock] = match;
  const year = yearText.length === 4 ? Number(yearText) : centuryOf(Number(yearText));
  const [day, month] = order === "day_first" ? [first, second] : [second, first];
  return dateFrom([year, Number(month), Number(day)], clock, first !== second);
}

function readMonthName(cell: string): DateValue | null {
  const dayFirst = DAY_MONTH_NAME.exec(cell);
  if (dayFirst !== null) {
    const [, day, name = "", year, ...clock] = dayFirst;
    return dateFrom([Number(year), monthOf(name), Number(day)], clock, false);
  }
  const nameFirst = MONTH_NAME_DAY.exec(cell);
  if (nameFirst === null) return null;
  const [, name = "", day = "1", year, ...clock] = nameFirst;
  return dateFrom([Number(year), monthOf(name), Number(day)], clock, false);
}

function readQuarter(cell: string): DateValue | null {
  const match = QUARTER.exec(cell);
  if (match === null) return null;
  return dateFrom([Number(match[1]), 3 * Number(match[2]) - 2, 1], [], false);
}

function centuryOf(year: number): number {
  return year < 70 ? 2000 + year : 1900 + year;
}

function monthOf(name: string): number {
  const word = name.toLowerCase();
  return MONTHS.findIndex((names) => names.some((full) => full.startsWith(word))) + 1;
}

function dateFrom(
  [year, month, day]: readonly [number, number, number],
  clock: readonly (string | undefined)[],
  order_matters: boolean,
): DateValue | null {
  const time = clockFrom(clock);
  if (time === null || year < 1000) return null;
  const midnight = Date.UTC(year, month - 1, day);
  const read = new Date(midnight);
  const exists = read.getUTCMonth() === month - 1 && read.getUTCDate() === day;
  if (!exists) return null;
  return { epoch_ms: midnight + time.since_midnight_ms, has_time: time.present, order_matters };
}

function clockFrom(
  clock: readonly (string | undefined)[],
): { since_midnight_ms: number; present: boolean } | null {
  const [hourText, minuteText, secondText = "0", halfDay, offset] = clock;
  if (hourText === undefined) return { since_midnight_ms: 0, present: false };
  const [hour, minute, second] = [Number(hourText), Number(minuteText), Number(secondText)];
  const isInRange = hour < 24 && minute < 60 && second < 60;
  if (!isInRange || (halfDay !== undefined && (hour < 1 || hour > 12))) return null;
  const of24 = halfDay === undefined ? hour : (hour % 12) + (/^p/i.test(halfDay) ? 12 : 0);
  const minutes = of24 * 60 + minute - offsetMinutes(offset);
  return { since_midnight_ms: (minutes * 60 + second) * 1000, present: true };
}

function offsetMinutes(offset: string | undefined): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(offset ?? "");
  if (match === null) return 0;
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}
