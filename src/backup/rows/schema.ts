import type { BackupDatabase, StoredRow } from "../../protocol/backup.ts";
import { quoted } from "./sql.ts";
import { BACKED_TABLES, undecided } from "./tables.ts";

/* What a database says of itself. */

/** Asks a database: rows of each statement, in their order. */
export type Query = (statements: readonly string[]) => Promise<StoredRow[][]>;

const TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";

const MIGRATIONS = "SELECT name FROM d1_migrations ORDER BY id";

const names = (rows: readonly StoredRow[] = []): string[] => rows.map((row) => String(row["name"]));

/** Migrations that a database has had, in their order: what tells whether its schema is still the same. */
export async function migrationsOf(query: Query): Promise<string[]> {
  const [applied] = await query([MIGRATIONS]);
  return names(applied);
}

/**
 * A database's schema, as the head of a backup that holds no row yet.
 *
 * @throws Error when a table is missing that a backup holds: its migrations were not applied
 */
export async function describeDatabase(binding: string, query: Query): Promise<BackupDatabase> {
  const [found = [], applied] = await query([TABLES, MIGRATIONS]);
  const known = new Set(names(found));
  const missing = BACKED_TABLES.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    throw new Error(`${binding} has no ${missing.join(", ")}: apply the migrations first`);
  }
  const forms = await query(BACKED_TABLES.map(({ name }) => `PRAGMA table_info(${quoted(name)})`));
  return {
    binding,
    migrations: names(applied),
    unknown: undecided([...known]),
    tables: BACKED_TABLES.map(({ name }, index) => {
      const columns = forms[index] ?? [];
      const key = columns
        .filter(({ pk }) => Number(pk) > 0)
        .toSorted((a, b) => Number(a["pk"]) - Number(b["pk"]));
      const empty = { rows: 0, bytes: 0, withheld: 0, parts: [] };
      return { name, columns: names(columns), key: names(key), ...empty };
    }),
  };
}
