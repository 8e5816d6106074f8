import type * as z from "zod";

import type { pageQuerySchema } from "../protocol/queries.ts";

/**
 * A page of a list that is short enough to be read at once, in the order of what names its items; the cursor is the name
 * at which the last page ended.
 */
export function pageOfShort<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string,
  { cursor, limit }: z.output<typeof pageQuerySchema>,
): { items: Item[]; next_cursor: string | null } {
  const rest = items
    .toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
    .filter((item) => cursor === undefined || nameOf(item) > cursor);
  const page = rest.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page,
    next_cursor: rest.length > limit && last !== undefined ? nameOf(last) : null,
  };
}
