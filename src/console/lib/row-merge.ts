/** What a list shows after it was looked at again. */
export interface Merged<Row> {
  rows: Row[];
  /** New rows that are kept back, so that what somebody reads does not move away. */
  waiting: number;
  /** There are more new ones than were looked at: what is shown begins somewhere behind them. */
  isCut: boolean;
}

/**
 * Puts what was read from a list's beginning in place of the rows that are shown. What is not in the list any more
 * leaves; new rows wait until they are asked for, or all is shown as it is now.
 *
 * @param fresh the list from its beginning, without a gap
 * @param isAtTop nobody has scrolled or chosen: new rows may come in
 * @param isBehind whether a row stands behind all that was read, so that nothing is known of it
 */
export function mergeRows<Row>(
  shown: readonly Row[],
  fresh: readonly Row[],
  {
    keyOf,
    isAtTop,
    isBehind,
  }: { keyOf: (row: Row) => string; isAtTop: boolean; isBehind: (row: Row) => boolean },
): Merged<Row> {
  if (isAtTop || shown.length === 0) return { rows: [...fresh], waiting: 0, isCut: false };
  const known = new Set(shown.map(keyOf));
  const isKnown = (row: Row): boolean => known.has(keyOf(row));
  // What follows the last row that is shown moves nothing.
  const last = fresh.findLastIndex(isKnown);
  const rows = fresh.filter((row, index) => isKnown(row) || (last >= 0 && index > last));
  const behind = shown.filter(isBehind);
  return {
    rows: [...rows, ...behind],
    waiting: fresh.length - rows.length,
    isCut: last < 0 && behind.length > 0,
  };
}
