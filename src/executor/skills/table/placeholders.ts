import type { Column } from "./column-types.ts";
import { measures } from "./columns.ts";
import { findOutliers } from "./outliers.ts";

/** A number that stands for "missing" in one column, and how often it did. */
export type Placeholder = { column: string; value: number; count: number };

/** The numbers that data loggers and surveys write where they have no value. */
const USUAL = /^-?9{3,6}$|^-1$/;
/** A single odd value may be real; the same one again, far from all others, hardly is. */
const MIN_COUNT = 2;

/**
 * Takes values such as -999 for missing where they come again far outside a column's other values.
 *
 * @returns the columns without those values, and what was taken out
 */
export function withoutPlaceholders(columns: readonly Column[]): {
  columns: Column[];
  placeholders: Placeholder[];
} {
  const placeholders = measures(columns).flatMap((column) => {
    const found = placeholderIn(column);
    return found === null ? [] : [found];
  });
  return {
    columns: columns.map((column) => {
      const found = placeholders.find((placeholder) => placeholder.column === column.name);
      return found === undefined ? column : withoutValue(column, found);
    }),
    placeholders,
  };
}

function placeholderIn(column: Column): Placeholder | null {
  const suspects = new Map<number, number>();
  for (const value of column.values) {
    if (value === null || !USUAL.test(String(value))) continue;
    suspects.set(value, (suspects.get(value) ?? 0) + 1);
  }
  for (const [value, count] of suspects) {
    if (count < MIN_COUNT) continue;
    const [found] = findOutliers([column], null);
    if (found !== undefined && (value < found.fences.low || value > found.fences.high)) {
      return { column: column.name, value, count };
    }
  }
  return null;
}

function withoutValue(column: Column, { value, count }: Placeholder): Column {
  const isReal = (row: number) => column.values[row] !== value;
  return {
    ...column,
    labels: column.labels.map((label, row) => (isReal(row) ? label : null)),
    values: column.values.map((other) => (other === value ? null : other)),
    missing: column.missing + count,
    distinct: column.distinct - 1,
  };
}
