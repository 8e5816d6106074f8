/** What a list shows after it was looked at again. */
export interface Merged<Row> {
  rows: Row[];
  /** New rows that are kept back, so that what somebody reads does not move away. The newest first. */
  waiting: Row[];
}

/**
 * Puts a freshly read first page into rows that are shown: known rows are renewed where they stand, new ones wait
 * until they are asked for or go on top at once.
 *
 * @param fresh newest first
 * @param isAtTop nobody has scrolled or chosen: new rows may come in
 */
export function mergeRows<Row>(
  shown: readonly Row[],
  fresh: readonly Row[],
  { keyOf, isAtTop }: { keyOf: (row: Row) => string; isAtTop: boolean },
): Merged<Row> {
  const byKey = new Map(fresh.map((row) => [keyOf(row), row]));
  const known = new Set(shown.map(keyOf));
  const renewed = shown.map((row) => byKey.get(keyOf(row)) ?? row);
  const added = fresh.filter((row) => !known.has(keyOf(row)));
  return isAtTop
    ? { rows: [...added, ...renewed], waiting: [] }
    : { rows: renewed, waiting: added };
}
