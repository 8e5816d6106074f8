import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";

import { queryOf } from "../../src/backup/backup-store.ts";
import type { RestorePorts } from "../../src/backup/restore.ts";
import { BACKED_TABLES } from "../../src/backup/rows/tables.ts";
import {
  backupManifestSchema,
  type BackupManifest,
  type StoredValue,
} from "../../src/protocol/backup.ts";

/** A database that belongs to no installation, with the schema of all of them. */
export async function emptyDatabase(): Promise<D1Database> {
  await applyD1Migrations(env.TEST_DATABASE, env.TEST_MIGRATIONS);
  const emptied = BACKED_TABLES.filter(({ name }) => name !== "audit").map(({ name }) =>
    env.TEST_DATABASE.prepare(`DELETE FROM "${name}"`),
  );
  // Its triggers let nobody remove a row: so it goes, and comes as the migrations make it.
  const { results } = await env.TEST_DATABASE.prepare(
    `SELECT sql FROM sqlite_master WHERE tbl_name = 'audit' AND sql IS NOT NULL
     ORDER BY type = 'table' DESC`,
  ).all<{ sql: string }>();
  await env.TEST_DATABASE.batch([
    ...emptied,
    env.TEST_DATABASE.prepare("DELETE FROM sweep_cursor"),
    env.TEST_DATABASE.prepare("DROP TABLE audit"),
    ...results.map(({ sql }) => env.TEST_DATABASE.prepare(sql)),
  ]);
  return env.TEST_DATABASE;
}

/** Every row of every table by its name, those of the platform aside. */
export async function allRows(db: D1Database): Promise<Record<string, unknown[]>> {
  const tables = await db
    .prepare(
      `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
       AND name NOT LIKE '_cf_%' AND name <> 'd1_migrations' ORDER BY name`,
    )
    .all<{ name: string }>();
  const rows: Record<string, unknown[]> = {};
  for (const { name } of tables.results) {
    rows[name] = (await db.prepare(`SELECT * FROM "${name}"`).all()).results;
  }
  return rows;
}

/** Texts that break what quotes, splits or counts carelessly. */
const HOSTILE = [
  "it's",
  "'; DROP TABLE task; --",
  'a "quoted" word',
  "first line\r\nsecond -- line; /* none */\n",
  "nul\u0000inside",
  "ünï🙂",
  "",
  "%_\\",
];

const SEALED = `sealed.v1.0123456789ab.${"A".repeat(16)}.AAAA`;

/** A sealed secret in the form of its column: a callback's are an object, a webhook's are read by `secret` alone. */
function secretOf(column: string): string {
  const secrets = [{ secret: SEALED, expires_at: null }];
  return column === "secrets" ? JSON.stringify({ version: 1, secrets }) : SEALED;
}

/** Rows for a table that fit its columns, with hostile texts in all that is no key. */
export async function fill(db: D1Database, name: string, count: number, from = 0): Promise<void> {
  const { results: columns } = await db
    .prepare(`SELECT name, upper(type) AS type, pk FROM pragma_table_info(?)`)
    .bind(name)
    .all<{ name: string; type: string; pk: number }>();
  const secrets = new Set(
    BACKED_TABLES.filter((table) => table.name === name).flatMap((table) => [
      ...(table.secrets ?? []),
      ...(table.secretTexts ?? []),
    ]),
  );
  const valueOf = (index: number, at: number): StoredValue => {
    const column = columns[at];
    if (column === undefined) return null;
    if (column.type === "INTEGER") return index * 7 + at;
    if (column.type === "REAL") return index + 0.1;
    if (secrets.has(column.name)) return secretOf(column.name);
    // Unique where it is not null.
    if (column.name === "former_hash") return null;
    const text = HOSTILE[(index + at) % HOSTILE.length] ?? "";
    return column.pk > 0 || column.name.endsWith("_id") ? `${text}${index}` : text;
  };
  const row = (index: number) => columns.map((_, at) => valueOf(index, at));
  const marks = columns.map(() => "?").join(", ");
  const insert = db.prepare(`INSERT INTO "${name}" VALUES (${marks})`);
  for (let start = 0; start < count; start += 100) {
    const many = Array.from({ length: Math.min(100, count - start) }, (_, at) =>
      row(from + start + at),
    );
    await db.batch(many.map((values) => insert.bind(...values)));
  }
}

/** A backup in the bucket, as its last manifest tells it; null where none is finished. */
export async function newestBackup(bucket: R2Bucket): Promise<BackupManifest | null> {
  const { objects } = await bucket.list({ prefix: "backups/" });
  const key = objects.findLast((object) => object.key.endsWith("/manifest.json"))?.key;
  const found = key === undefined ? null : await bucket.get(key);
  return found === null ? null : backupManifestSchema.parse(await found.json());
}

/** What restores a backup of the bucket into a database. */
export function restorePorts(
  db: D1Database,
  bucket: R2Bucket,
  { backup_id }: BackupManifest,
): RestorePorts {
  return {
    query: queryOf(db),
    run: async (statements) => {
      await db.batch(statements.map((sql) => db.prepare(sql)));
    },
    read: async (file) => (await bucket.get(`backups/${backup_id}/${file}`))?.text() ?? null,
    tell: () => {},
  };
}
