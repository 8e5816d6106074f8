import { cursorOf, further, pageOf, type Page, type Place } from "../protocol/keyset.ts";

/**
 * A page of what a bounded scan has found, newest first. It may be short, even empty, with a cursor that goes on: behind
 * the last row that the scan has looked at.
 *
 * @param rows one more than the limit, where there are so many
 * @param scanEnd the last row that the scan has looked at, when there may be more behind it
 */
export async function scannedPage<Row, Item>(
  rows: readonly Row[],
  limit: number,
  as: { place: (row: Row) => Place; item: (row: Row) => Item },
  scanEnd: () => Promise<Place | null>,
): Promise<Page<Item>> {
  const page = pageOf(rows, limit, as);
  if (page.next_cursor !== null) return page;
  const end = await scanEnd();
  if (end === null) return page;
  // What came in between the two queries shifts the end; what was listed is never listed again.
  const last = rows.at(-1);
  const next = last === undefined ? end : further(end, as.place(last));
  return { ...page, next_cursor: cursorOf(next) };
}
