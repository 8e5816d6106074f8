import { sql, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

import type { Place } from "./keyset.ts";

/** The condition that a row stands behind a place in a list, newest first; none at the list's start. */
export function isBefore(
  columns: { at: SQLiteColumn; id: SQLiteColumn },
  place: Place | null,
): SQL | undefined {
  if (place === null) return undefined;
  return sql`(${columns.at}, ${columns.id}) < (${place.at}, ${place.id})`;
}
