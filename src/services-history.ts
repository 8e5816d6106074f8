import { countedDb } from "./db/counted.ts";
import { createGuard } from "./history/guard.ts";
import { Histories, type HistoryDatabase } from "./history/shards/histories.ts";
import { isShardName } from "./history/shards/shards.ts";
import { consoleLog } from "./lib/log.ts";
import type { Clock } from "./lib/ports.ts";
import { readTenants } from "./observe/sweeper-store.ts";

/* The databases that history is in. */

function isDatabase(binding: unknown): binding is D1Database {
  return (
    typeof binding === "object" && binding !== null && "prepare" in binding && "batch" in binding
  );
}

/** Databases of history that are bound, by their bindings. */
export function databasesOf(env: Env): [binding: string, db: D1Database][] {
  return Object.entries({ ...env }).flatMap(([binding, value]: [string, unknown]) =>
    isShardName(binding) && isDatabase(value) ? [[binding, value]] : [],
  );
}

/** What this isolate knows of who is where. */
const pins = new WeakMap<Env, Map<string, string>>();

function pinsOf(env: Env): Map<string, string> {
  const known = pins.get(env) ?? new Map<string, string>();
  pins.set(env, known);
  return known;
}

/**
 * The histories of all tenants.
 *
 * @param open as `Config.historyShards`
 * @param guard of DB, which others read as well
 */
export function historiesOf(
  env: Env,
  open: readonly string[],
  { guard, now }: { guard: HistoryDatabase["guard"]; now: Clock },
): Histories {
  const log = consoleLog("history", now);
  return new Histories({
    databases: databasesOf(env).map(([binding, db]) => ({
      binding,
      db,
      guard: db === env.DB ? guard : createGuard(now, consoleLog(`history/${binding}`, now)),
    })),
    open,
    pins: pinsOf(env),
    log,
  });
}

/** The same bindings, with a count of the statements that are made of D1 by them, whichever database it is. */
export function countedEnv(env: Env): { env: Env; statements: () => number } {
  const counted = databasesOf(env).map(([binding, db]) => ({ binding, ...countedDb(db) }));
  const bindings = Object.fromEntries(counted.map(({ binding, db }) => [binding, db]));
  const copy: Env = { ...env, ...bindings };
  // Pins are for ever: who counts anew each minute need not ask for them anew.
  pins.set(copy, pinsOf(env));
  return {
    env: copy,
    statements: () => counted.reduce((sum, { statements }) => sum + statements(), 0),
  };
}

/**
 * Tenants that have tasks, from a name on, in order, and where the history of each is learned at once. Those of a database
 * that is down are not among them, which `isComplete` tells.
 *
 * @throws when no database answers
 */
export async function tenantsIn(
  history: Histories,
  from: string,
  limit: number,
): Promise<{ tenants: string[]; isComplete: boolean }> {
  const { found, isComplete } = await history.each((db) => readTenants(db, from, limit));
  const tenants = [...new Set(found.flat())].toSorted().slice(0, limit);
  await history.learn(tenants);
  return { tenants, isComplete };
}

/** Where tenants are. Who can't be told of now, of which there is a log line, has no home until the next time. */
async function homesOf(
  history: Histories,
  tenants: readonly string[],
): Promise<Map<string, D1Database>> {
  // Should it fail, those that are known already are not the worse for it.
  await Promise.allSettled([history.learn(tenants)]);
  const places = await Promise.allSettled(tenants.map((tenant) => history.of(tenant)));
  return new Map(
    places.flatMap((place, index) =>
      place.status === "fulfilled" ? [[tenants[index] ?? "", place.value] as const] : [],
    ),
  );
}

/**
 * What is due of tenants in their own database, each in the order of its own, by turns: one that has much keeps nothing of the others
 * waiting.
 *
 * @throws when no database answers
 */
export async function dueIn<Due extends { tenant: string }>(
  history: Histories,
  limit: number,
  query: (db: D1Database) => Promise<Due[]>,
): Promise<Due[]> {
  const { found } = await history.each(async (db) => ({ db, due: await query(db) }));
  const homes = await homesOf(history, [
    ...new Set(found.flatMap(({ due }) => due.map(({ tenant }) => tenant))),
  ]);
  // What is done goes to the tenant's own database, so what lies about elsewhere would stay due for ever.
  const atHome = found.map(({ db, due }) => due.filter(({ tenant }) => homes.get(tenant) === db));
  const longest = Math.max(0, ...atHome.map((due) => due.length));
  const turns = Array.from({ length: longest }, (_, turn) =>
    atHome.flatMap((due) => due.slice(turn, turn + 1)),
  );
  return turns.flat().slice(0, limit);
}
