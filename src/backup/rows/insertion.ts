import type { StoredRow, StoredValue } from "../../protocol/backup.ts";
import { bytesOf, keyOf, literal, quoted, type TableForm } from "./sql.ts";

/* Rows as SQL that may run twice. */

/** D1 takes statements of 100 KB (facts/platform.md §4); a row may have 2 MB. Bytes, with room for the rest. */
const MAX_STATEMENT_BYTES = 90_000;

/** UTF-16 units of a value that are written at a time: at most 60,000 bytes however they are written. */
const CHUNK = 10_000;

/** A text in pieces; no pair of surrogates is torn. */
function chunksOf(text: string): string[] {
  const chunks: string[] = [];
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + CHUNK, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    chunks.push(text.slice(start, end));
    start = end;
  }
  return chunks;
}

/** Which columns have to be written in pieces so that the row fits: the longest first. */
function longColumns({ columns }: TableForm, row: StoredRow): Set<string> {
  const sizes = columns
    // Written as hexadecimal digits each byte is two; what is cut anyhow need not be counted exactly.
    .map((column) => ({ column, bytes: 2 * bytesOf(String(row[column] ?? "")) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  let total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  const long = new Set<string>();
  for (const { column, bytes } of sizes) {
    if (total <= MAX_STATEMENT_BYTES) break;
    long.add(column);
    total -= bytes;
  }
  return long;
}

function tuple(form: TableForm, row: StoredRow, long: ReadonlySet<string>): string {
  const values = form.columns.map((column) =>
    // What is too long begins empty: a column may refuse to be null.
    literal(long.has(column) ? "" : (row[column] ?? null)),
  );
  return `(${values.join(", ")})`;
}

/** Adds the pieces of a long value, each only where all before it are there and it is not. */
function appends(form: TableForm, row: StoredRow, column: string): string[] {
  const key: StoredValue[] = keyOf(form, row);
  const isRow = form.key.map((name, index) => `${quoted(name)} = ${literal(key[index] ?? null)}`);
  let before = 0;
  return chunksOf(String(row[column] ?? "")).map((chunk) => {
    const name = quoted(column);
    const sql = `UPDATE ${quoted(form.name)} SET ${name} = ${name} || ${literal(chunk)}
WHERE ${isRow.join(" AND ")} AND length(CAST(${name} AS BLOB)) = ${before}`;
    before += bytesOf(chunk);
    return sql;
  });
}

/**
 * Statements that write rows. To be run in this order; run again, whole or from any of them on, they change nothing more.
 */
export function insertions(form: TableForm, rows: readonly StoredRow[]): string[] {
  const head = `INSERT OR IGNORE INTO ${quoted(form.name)} (${form.columns.map(quoted).join(", ")}) VALUES\n`;
  const statements: string[] = [];
  let tuples: string[] = [];
  let bytes = 0;
  const close = (): void => {
    if (tuples.length > 0) statements.push(head + tuples.join(",\n"));
    [tuples, bytes] = [[], 0];
  };
  for (const row of rows) {
    const long = longColumns(form, row);
    const text = tuple(form, row, long);
    const size = bytesOf(text);
    if (bytes + size > MAX_STATEMENT_BYTES) close();
    tuples.push(text);
    bytes += size;
    if (long.size === 0) continue;
    close();
    for (const column of long) statements.push(...appends(form, row, column));
  }
  close();
  return statements;
}
