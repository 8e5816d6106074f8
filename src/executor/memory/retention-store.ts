/* What goes by itself: what is too old, and the least useful of too many. */

/** Memories that a tenant keeps. */
const MOST_MEMORIES = 20_000;

/** Memories that one alarm removes. */
const MOST_REMOVED = 1_000;

function placesOf(sql: SqlStorage, query: string, ...values: SqlStorageValue[]): number[] {
  return sql
    .exec<{ place: number }>(query, ...values)
    .toArray()
    .map(({ place }) => place);
}

/** Places of memories that are older than an instant. Facts stay while they are valid: nobody states them daily. */
export function expired(sql: SqlStorage, before: number): number[] {
  return placesOf(
    sql,
    `SELECT place FROM memory
     WHERE coalesce(valid_to, created_at) < ? AND NOT (kind = 'fact' AND superseded_by IS NULL)
     ORDER BY place LIMIT ${MOST_REMOVED}`,
    before,
  );
}

/**
 * Places of what is too many: first what is valid no more, then what helped least, (helped + 1) / (used + 2), and of
 * equals the oldest.
 */
export function surplus(sql: SqlStorage): number[] {
  const { count } = sql.exec<{ count: number }>("SELECT count(*) AS count FROM memory").one();
  return placesOf(
    sql,
    `SELECT place FROM memory
     ORDER BY superseded_by IS NULL, (helped + 1.0) / (used + 2.0), place LIMIT ?`,
    Math.min(MOST_REMOVED, Math.max(0, count - MOST_MEMORIES)),
  );
}

/** Whether anything is stored. */
export function isEmpty(sql: SqlStorage): boolean {
  const query = "SELECT EXISTS (SELECT 1 FROM memory) OR EXISTS (SELECT 1 FROM cached) AS kept";
  return sql.exec<{ kept: number }>(query).one().kept === 0;
}
