import type { Column } from "./column-types.ts";

/** Groups beyond this number are too thin to compare, and too many to show in colours. */
const MAX_GROUPS = 20;

/** Where something is, not how much of it there is: no mean, trend or outlier of these tells anything. */
const COORDINATE = /^(lat|latitude|latitud|lon|lng|long|longitude|longitud)$/i;

/** Columns that measure something: numbers with more than one value, other than coordinates. */
export function measures(columns: readonly Column[]): Column[] {
  return columns.filter(
    ({ name, type, distinct }) =>
      (type === "integer" || type === "number") && distinct > 1 && !COORDINATE.test(name),
  );
}

/** Columns that divide the rows into 2 to 20 groups. */
export function groupings(columns: readonly Column[]): Column[] {
  return columns.filter(
    ({ type, distinct }) =>
      (type === "category" || type === "boolean") && distinct >= 2 && distinct <= MAX_GROUPS,
  );
}

/** The column that says when: of the date columns the one with the most different instants. */
export function timeColumn(columns: readonly Column[]): Column | null {
  const dates = columns.filter(
    ({ type, distinct }) => (type === "date" || type === "datetime") && distinct > 1,
  );
  return dates.toSorted((a, b) => b.distinct - a.distinct)[0] ?? null;
}

/** The values that are there, in row order. */
export function presentValues(column: Column): number[] {
  return column.values.filter((value) => value !== null);
}

/** The rows where both lists have a value, as two lists of equal length. */
export function paired(
  left: readonly (number | null)[],
  right: readonly (number | null)[],
): [number[], number[]] {
  const pairs: [number[], number[]] = [[], []];
  for (const [row, value] of left.entries()) {
    const other = right[row] ?? null;
    if (value === null || other === null) continue;
    pairs[0].push(value);
    pairs[1].push(other);
  }
  return pairs;
}

/** The values of each group, by its label; rows where either is missing are left out. */
export function valuesByGroup(
  labels: readonly (string | null)[],
  values: readonly (number | null)[],
): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [row, label] of labels.entries()) {
    const value = values[row] ?? null;
    if (label === null || value === null) continue;
    const group = groups.get(label);
    if (group === undefined) groups.set(label, [value]);
    else group.push(value);
  }
  return groups;
}
