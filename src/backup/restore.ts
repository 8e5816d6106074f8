import { sha256Hex } from "../lib/ports.ts";
import {
  storedRowSchema,
  type BackupDatabase,
  type BackupManifest,
  type BackupPart,
  type BackupTable,
  type StoredRow,
} from "../protocol/backup.ts";
import { markIn, markStatement, RestoreError, unmarkStatement, type Mark } from "./restore-mark.ts";
import { insertions } from "./rows/insertion.ts";
import { describeDatabase, type Query } from "./rows/schema.ts";
import { bytesOf, keyOf, lineOf, pageQuery } from "./rows/sql.ts";

/* How a backup comes back: into a database that is empty, checked before and after. */

/** Rows and bytes of a page that is read again to compare it. */
const PAGE_ROWS = 500;
const PAGE_BYTES = 1_000_000;

/** Tables that are begun with one question: most are small. */
const TOGETHER = 8;

/** Characters of statements that are run together, unless one file has more. */
const RUN_LENGTH = 2_000_000;

/** What a restore needs from outside. */
export interface RestorePorts {
  query: Query;
  /** Runs statements in their order. When it fails, some of them may have been carried out. */
  run: (statements: readonly string[]) => Promise<void>;
  /** A file of the backup, as text; null when it is not there. */
  read: (file: string) => Promise<string | null>;
  /** Is told what is being done. */
  tell: (what: string) => void;
}

function databaseOf(manifest: BackupManifest, binding: string): BackupDatabase {
  const found = manifest.databases.find((one) => one.binding === binding);
  if (found !== undefined) return found;
  const bindings = manifest.databases.map((one) => one.binding).join(", ");
  throw new RestoreError(`the backup has no database ${binding}; it has ${bindings}`);
}

/** The rows of a part, after it was compared with what the manifest says of it. */
async function rowsOf({ read }: RestorePorts, part: BackupPart): Promise<StoredRow[]> {
  const text = await read(part.file);
  if (text === null) throw new RestoreError(`${part.file} is missing`);
  if ((await sha256Hex(text)) !== part.sha256) {
    throw new RestoreError(`${part.file} is not what was written: its SHA-256 differs`);
  }
  const lines = text.split("\n").slice(0, -1);
  if (lines.length !== part.rows) {
    throw new RestoreError(`${part.file} has ${lines.length} rows in place of ${part.rows}`);
  }
  return lines.map((line) => storedRowSchema.parse(JSON.parse(line)));
}

function checkCounts({ name, rows, bytes, parts }: BackupTable): void {
  const sum = (of: (part: BackupPart) => number) => parts.reduce((all, part) => all + of(part), 0);
  if (sum((part) => part.rows) === rows && sum((part) => part.bytes) === bytes) return;
  throw new RestoreError(`the parts of ${name} are not as many as the manifest says`);
}

/** Whether the schema is the one that was written down, and every table of it known here. */
async function checkSchema({ query }: RestorePorts, backup: BackupDatabase): Promise<void> {
  const target = await describeDatabase(backup.binding, query);
  const [wanted, there] = [backup.migrations, target.migrations];
  if (JSON.stringify(wanted) !== JSON.stringify(there)) {
    throw new RestoreError(
      `the backup was made with the migrations up to ${wanted.at(-1)}, the database has those up to ` +
        `${there.at(-1)}: apply to an empty database those up to ${wanted.at(-1)}, restore, then apply the rest`,
    );
  }
  const known = new Map(target.tables.map((table) => [table.name, table.columns.join()]));
  const foreign = backup.tables.filter(({ name, columns }) => known.get(name) !== columns.join());
  if (foreign.length === 0) return;
  const tables = foreign.map(({ name }) => name).join(", ");
  throw new RestoreError(`the database has other columns, or does not know the table: ${tables}`);
}

/** Compares what the database now has with a table of the backup, part by part. @param page the first one of the table */
async function compare(
  { query }: RestorePorts,
  table: BackupTable,
  page: readonly StoredRow[],
): Promise<void> {
  let waiting = [...page];
  let last = page.at(-1);
  const more = async (): Promise<boolean> => {
    if (last === undefined) return false;
    const bounds = { after: keyOf(table, last), rows: PAGE_ROWS, bytes: PAGE_BYTES };
    const [next = []] = await query([pageQuery(table, bounds)]);
    last = next.at(-1);
    waiting = [...waiting, ...next];
    return last !== undefined;
  };
  for (const part of table.parts) {
    while (waiting.length < part.rows && (await more()));
    const rows = waiting.slice(0, part.rows);
    waiting = waiting.slice(part.rows);
    const text = rows.map((row) => `${lineOf(table, row)}\n`).join("");
    if (bytesOf(text) === part.bytes && (await sha256Hex(text)) === part.sha256) continue;
    throw new RestoreError(
      `${table.name} is not what ${part.file} says: something else writes there`,
    );
  }
  // A first page with all rows and room for more needs no question whether there are more.
  const isWhole = page.length === table.rows && page.length < PAGE_ROWS && table.bytes < PAGE_BYTES;
  if (waiting.length === 0 && (isWhole || !(await more()))) return;
  throw new RestoreError(
    `${table.name} has more rows than the backup: something else writes there`,
  );
}

/** Compares all tables, the first pages of several with one question. */
async function compareAll(ports: RestorePorts, tables: readonly BackupTable[]): Promise<void> {
  const bounds = { after: null, rows: PAGE_ROWS, bytes: PAGE_BYTES };
  for (let start = 0; start < tables.length; start += TOGETHER) {
    const some = tables.slice(start, start + TOGETHER);
    const pages = await ports.query(some.map((table) => pageQuery(table, bounds)));
    for (const [index, table] of some.entries()) await compare(ports, table, pages[index] ?? []);
  }
}

/** Reads every file, so that nothing is written of a backup that is damaged. */
async function checkFiles(ports: RestorePorts, tables: readonly BackupTable[]): Promise<void> {
  for (const table of tables) {
    checkCounts(table);
    // One file at a time: they are large.
    for (const part of table.parts) await rowsOf(ports, part);
  }
}

/** Writes the files that are not written yet, and with each that it is. */
async function write(
  ports: RestorePorts,
  tables: readonly BackupTable[],
  mark: Mark,
): Promise<void> {
  const files = tables.flatMap((table) => table.parts.map((part) => ({ table, part })));
  let waiting: string[] = [];
  let length = 0;
  for (const [index, { table, part }] of files.entries()) {
    if (index < mark.files) continue;
    ports.tell(`writes ${part.file}, ${part.rows} rows`);
    const statements = insertions(table, await rowsOf(ports, part));
    waiting.push(...statements);
    length += statements.reduce((sum, sql) => sum + sql.length, 0);
    if (length < RUN_LENGTH && index < files.length - 1) continue;
    await ports.run([...waiting, markStatement({ ...mark, files: index + 1 })]);
    [waiting, length] = [[], 0];
  }
}

/** What came back. */
export interface Restored {
  rows: number;
  /** Rows by table. */
  tables: Record<string, number>;
  /** Secrets that the backup left out because they were stored in clear: they have to be rotated. */
  withheld: number;
}

/**
 * Writes one database of a backup into an empty one and compares every row afterwards.
 *
 * Nothing is written before every file was read and found to be what the manifest says. Interrupted, it is started again
 * and goes on; a database with anything else in it is refused.
 *
 * @throws RestoreError that says what is wrong
 */
export async function restore(
  ports: RestorePorts,
  manifest: BackupManifest,
  binding: string,
): Promise<Restored> {
  const backup = databaseOf(manifest, binding);
  await checkSchema(ports, backup);
  const of = { backup_id: manifest.backup_id, binding };
  const mark = await markIn(ports.query, of);
  const { tables } = backup;
  ports.tell(`${mark === null ? "begins" : "goes on with"} ${of.backup_id}; checks its files`);
  await checkFiles(ports, tables);
  if (mark === null) await ports.run([markStatement({ ...of, files: 0 })]);
  await write(ports, tables, { ...of, files: mark?.files ?? 0 });
  ports.tell("compares every row");
  await compareAll(ports, tables);
  await ports.run([unmarkStatement()]);
  return {
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    withheld: tables.reduce((sum, { withheld }) => sum + withheld, 0),
    tables: Object.fromEntries(tables.map(({ name, rows }) => [name, rows])),
  };
}
