/* Which databases wrangler.toml binds, and whether they are those that HISTORY_SHARDS names. */
import { parse } from "smol-toml";

/**
 * The D1 databases of an environment of wrangler.toml, in its order.
 *
 * @param {string} toml the text of wrangler.toml
 * @param {"production" | null} environment null: the one of a local server
 * @returns {{ databases: { binding: string, name: string }[], unbound: string[] }} `unbound`: what HISTORY_SHARDS names and
 *   nothing is bound to
 */
export function databasesOf(toml, environment) {
  const config = parse(toml);
  const section = environment === null ? config : config.env?.[environment];
  const databases = (section?.d1_databases ?? []).map(({ binding, database_name: name }) => ({
    binding,
    name,
  }));
  const named = String(section?.vars?.HISTORY_SHARDS ?? "").split(",");
  const bound = new Set(databases.map(({ binding }) => binding));
  const unbound = named
    .map((name) => name.trim())
    .filter((name) => name !== "" && !bound.has(name));
  return { databases, unbound };
}
