import { instant, sha256Hex, type Clock } from "../lib/ports.ts";
import type {
  BackupManifest,
  BackupPart,
  BackupProgress,
  BackupTable,
  StoredRow,
} from "../protocol/backup.ts";
import { withoutClearSecrets } from "./rows/clear-secrets.ts";
import { describeDatabase, type Query } from "./rows/schema.ts";
import { bytesOf, keyOf, lineOf, pageQuery } from "./rows/sql.ts";
import { BACKED_TABLES } from "./rows/tables.ts";
import { backupIdAt } from "./schedule.ts";

/* How a backup is written: part by part, each of them noted before the next one. */

/** Rows and bytes of a page, which the database holds at one time, and bytes of a file, which we do. */
const PAGE_ROWS = 500;
const PAGE_BYTES = 1_000_000;
const PART_BYTES = 4_000_000;

/** Tables that are begun with one question: most are small. */
const TOGETHER = 8;

/** A database to write down, by the name of its binding. */
interface Source {
  binding: string;
  query: Query;
}

/** What writing a backup needs from outside. */
export interface BackupPorts {
  now: Clock;
  sources: readonly Source[];
  /** Writes a file of the backup and confirms it. */
  put: (file: string, text: string) => Promise<void>;
  /** Notes how far it is; false when another run has gone on in the meantime. */
  save: (from: BackupProgress, to: BackupProgress) => Promise<boolean>;
}

/** A backup that holds nothing yet. @throws as `describeDatabase` */
export async function beginBackup({
  now,
  sources,
}: Pick<BackupPorts, "now" | "sources">): Promise<BackupProgress> {
  const at = now();
  return {
    backup_id: backupIdAt(at),
    started_at: instant(at),
    databases: await Promise.all(
      sources.map(({ binding, query }) => describeDatabase(binding, query)),
    ),
    place: { database: 0, table: 0, after: null },
  };
}

/** The table at which a backup is; null when it has them all. */
function tableAt({ databases, place }: BackupProgress) {
  const database = databases[place.database];
  const table = database?.tables[place.table];
  return database === undefined || table === undefined ? null : { database, table };
}

/** Pages of one run: how many it may still read. */
interface Budget {
  pages: number;
}

/** Whether a page was not cut: a line is longer than what the database counts of its row. */
function isWhole(page: readonly StoredRow[], bytes: number): boolean {
  return page.length < PAGE_ROWS && bytes < PAGE_BYTES;
}

const sizeOf = (table: BackupTable, page: readonly StoredRow[]): number =>
  page.reduce((sum, row) => sum + bytesOf(lineOf(table, row)), 0);

/** Rows for one file, as many pages as fit; whether the table is at its end. */
async function readPart(
  query: Query,
  table: BackupTable,
  { after, budget }: { after: BackupProgress["place"]["after"]; budget: Budget },
): Promise<{ rows: StoredRow[]; isEnd: boolean }> {
  const rows: StoredRow[] = [];
  let bytes = 0;
  let place = after;
  while (bytes < PART_BYTES && budget.pages > 0) {
    const bounds = { after: place, rows: PAGE_ROWS, bytes: PAGE_BYTES };
    const [page = []] = await query([pageQuery(table, bounds)]);
    budget.pages -= 1;
    const size = sizeOf(table, page);
    rows.push(...page);
    bytes += size;
    const last = page.at(-1);
    if (last === undefined || isWhole(page, size)) return { rows, isEnd: true };
    place = keyOf(table, last);
  }
  return { rows, isEnd: false };
}

/** The table with one more part, and the text of that. */
async function withPart(
  binding: string,
  table: BackupTable,
  rows: readonly StoredRow[],
): Promise<{ table: BackupTable; part: BackupPart; text: string }> {
  const rules = BACKED_TABLES.find(({ name }) => name === table.name) ?? { name: table.name };
  const safe = rows.map((row) => withoutClearSecrets(rules, row));
  const text = safe.map(({ row }) => `${lineOf(table, row)}\n`).join("");
  const sha256 = await sha256Hex(text);
  const number = String(table.parts.length + 1).padStart(6, "0");
  // Named by what is in it: two runs at one time never overwrite each other's file with another.
  const file = `${binding}/${table.name}/${number}.${sha256.slice(0, 16)}.ndjson`;
  const part = { file, rows: rows.length, bytes: bytesOf(text), sha256 };
  return {
    part,
    text,
    table: {
      ...table,
      rows: table.rows + part.rows,
      bytes: table.bytes + part.bytes,
      withheld: table.withheld + safe.reduce((sum, one) => sum + one.withheld, 0),
      parts: [...table.parts, part],
    },
  };
}

/** The progress with one of its tables replaced. */
function replaced(progress: BackupProgress, table: BackupTable): BackupProgress["databases"] {
  return progress.databases.map((database, index) =>
    index === progress.place.database
      ? {
          ...database,
          tables: database.tables.map((one) => (one.name === table.name ? table : one)),
        }
      : database,
  );
}

function nextPlace({ databases, place }: BackupProgress): BackupProgress["place"] {
  const isLast = place.table + 1 >= (databases[place.database]?.tables.length ?? 0);
  return isLast
    ? { database: place.database + 1, table: 0, after: null }
    : { database: place.database, table: place.table + 1, after: null };
}

/** The progress with the rows of its table written behind those that it has. */
async function withRows(
  ports: BackupPorts,
  progress: BackupProgress,
  { rows, isEnd }: { rows: readonly StoredRow[]; isEnd: boolean },
): Promise<BackupProgress> {
  const at = tableAt(progress);
  const last = rows.at(-1);
  if (at === null) return progress;
  const after = last === undefined ? progress.place.after : keyOf(at.table, last);
  const place = isEnd ? nextPlace(progress) : { ...progress.place, after };
  if (rows.length === 0) return { ...progress, place };
  const { table, part, text } = await withPart(at.database.binding, at.table, rows);
  await ports.put(part.file, text);
  return { ...progress, databases: replaced(progress, table), place };
}

/**
 * Tables that are small, several with one question, up to the first that is not.
 *
 * What they answer is of one instant: none of them is read before the end of one that comes before it.
 */
async function writeSmall(
  ports: BackupPorts,
  progress: BackupProgress,
  { query, budget }: { query: Query; budget: Budget },
): Promise<BackupProgress> {
  const { database, table } = progress.place;
  const together = Math.min(TOGETHER, budget.pages);
  const tables = progress.databases[database]?.tables.slice(table, table + together) ?? [];
  const bounds = { after: null, rows: PAGE_ROWS, bytes: PAGE_BYTES };
  const pages = await query(tables.map((one) => pageQuery(one, bounds)));
  budget.pages -= tables.length;
  let reached = progress;
  for (const [index, one] of tables.entries()) {
    const rows = pages[index] ?? [];
    const isEnd = isWhole(rows, sizeOf(one, rows));
    // The beginning of a large one is no loss: it is read again with what follows, unless it is all that we may read.
    if (!isEnd && index > 0) break;
    reached = await withRows(ports, reached, { rows, isEnd });
    if (!isEnd) break;
  }
  return reached;
}

/** A file further, or some tables: the progress after it. */
async function step(
  ports: BackupPorts,
  progress: BackupProgress,
  budget: Budget,
): Promise<BackupProgress> {
  const at = tableAt(progress);
  if (at === null) return progress;
  const { binding } = at.database;
  const source = ports.sources.find((one) => one.binding === binding);
  if (source === undefined) throw new Error(`${binding} is bound no more: its backup cannot go on`);
  const { query } = source;
  const { after } = progress.place;
  if (after === null) return writeSmall(ports, progress, { query, budget });
  return withRows(ports, progress, await readPart(query, at.table, { after, budget }));
}

/**
 * Goes on with a backup: to its end, or until it has read so many pages.
 *
 * What a failure cuts off is done again by the next run; nothing of it is in the backup twice.
 *
 * @param pages of at most 500 rows and, but for the last row, 1 MB
 * @returns how far it is; null when another run is at work on it
 */
export async function goOn(
  ports: BackupPorts,
  progress: BackupProgress,
  pages: number,
): Promise<BackupProgress | null> {
  const budget = { pages };
  let reached = progress;
  while (budget.pages > 0 && tableAt(reached) !== null) {
    const next = await step(ports, reached, budget);
    if (!(await ports.save(reached, next))) return null;
    reached = next;
  }
  return reached;
}

/** The manifest of a backup; null while it is not at its end. */
export function manifestOf(progress: BackupProgress, finishedAt: number): BackupManifest | null {
  if (tableAt(progress) !== null) return null;
  const { place: _place, ...written } = progress;
  return { format: 1, ...written, finished_at: instant(finishedAt) };
}
