import { spread } from "../../lib/spread.ts";

/** The binding of the database that every installation has: registries, and the history of who is pinned nowhere else. */
export const FIRST_SHARD = "DB";

/** What bindings of databases with history are called: DB, and DB_1, DB_2 … beside it. */
const SHARD_NAME = /^DB(?:_[1-9]\d{0,3})?$/;

/** Whether a binding may hold history, by its name. */
export function isShardName(name: string): boolean {
  return SHARD_NAME.test(name);
}

/**
 * Where the history of a new tenant goes: one of the databases that take new ones, or DB where none is named. Asked once
 * a tenant, and written down, so a list that changes moves nobody.
 *
 * @param open names of bindings
 */
export function shardOfNew(tenant: string, open: readonly string[]): string {
  return open[spread(tenant, open.length)] ?? FIRST_SHARD;
}

/** Names of `needed` that nothing is bound to, each once and in order. */
export function unboundOf(needed: Iterable<string>, bound: Iterable<string>): string[] {
  const known = new Set(bound);
  return [...new Set(needed)].filter((name) => !known.has(name)).toSorted();
}
