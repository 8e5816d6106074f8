import { sql, type SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

/** A row's place: columns (or what is made of them) in the order of the list, and the values of a row at which to go on. */
interface Columns {
  at: SQLiteColumn | SQL;
  id: SQLiteColumn;
}
type Place = Readonly<Record<keyof Columns, string>> | null;

/** The condition that a row stands behind a place in a list, newest first; none at the list's start. */
export function isBefore(columns: Columns, place: Place): SQL | undefined {
  if (place === null) return undefined;
  return sql`(${columns.at}, ${columns.id}) < (${place.at}, ${place.id})`;
}

/** The condition that a row stands behind a place in a list, oldest first; none at the list's start. */
export function isAfter(columns: Columns, place: Place): SQL | undefined {
  if (place === null) return undefined;
  return sql`(${columns.at}, ${columns.id}) > (${place.at}, ${place.id})`;
}
