import type { StoredRow, StoredValue } from "../../protocol/backup.ts";

/* SQL as text: what asks a database through wrangler can bind no parameter. Names come from the schema, never from rows. */

const encoder = new TextEncoder();

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  return encoder.encode(text).byteLength;
}

/** A name of the schema, quoted. @throws RangeError when it is no plain name */
export function quoted(name: string): string {
  if (!/^\w+$/.test(name)) throw new RangeError(`${name} is no name of a table or column`);
  return `"${name}"`;
}

/** Whether a text has characters below the blank: SQL text ends at a NUL, and tools split and trim at others. */
function hasControls(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) < 32) return true;
  }
  return false;
}

function hexOf(text: string): string {
  return [...encoder.encode(text)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A value as SQL says it. @throws RangeError for a number that is none */
export function literal(value: StoredValue): string {
  if (value === null) return "NULL";
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new RangeError(`${value} cannot be stored`);
    return String(value);
  }
  if (hasControls(value)) return `CAST(x'${hexOf(value)}' AS TEXT)`;
  return `'${value.replaceAll("'", "''")}'`;
}

/** The form of a table, as far as reading and writing its rows goes. */
export interface TableForm {
  name: string;
  columns: readonly string[];
  key: readonly string[];
}

/** A page of a table's rows in the order of its key. */
export interface PageBounds {
  /** Key of the row before the first one; null for the table's begin. */
  after: readonly StoredValue[] | null;
  rows: number;
  /** Rows follow until they are so large together; the first one comes whatever its size. */
  bytes: number;
}

/** Asks for a page. The database cuts it, so that large rows never leave it in hundreds. */
export function pageQuery({ name, columns, key }: TableForm, bounds: PageBounds): string {
  const names = columns.map(quoted).join(", ");
  const order = key.map(quoted).join(", ");
  const size = columns.map((column) => `coalesce(length(CAST(${quoted(column)} AS BLOB)), 0)`);
  const where =
    bounds.after === null ? "" : `WHERE (${order}) > (${bounds.after.map(literal).join(", ")})`;
  return `SELECT ${names} FROM (
  SELECT ${names}, sum(${size.join(" + ")}) OVER (
    ORDER BY ${order} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS "bytes before it"
  FROM (SELECT ${names} FROM ${quoted(name)} ${where} ORDER BY ${order} LIMIT ${bounds.rows}))
WHERE coalesce("bytes before it", 0) < ${bounds.bytes} ORDER BY ${order}`;
}

/** Key of a row. @throws RangeError when the row lacks a column of it */
export function keyOf(
  { name, key }: Pick<TableForm, "name" | "key">,
  row: StoredRow,
): StoredValue[] {
  return key.map((column) => {
    const value = row[column];
    if (value === undefined) throw new RangeError(`a row of ${name} has no ${column}`);
    return value;
  });
}

/** A row as a line of a backup, without its end: the columns in the order of the table. */
export function lineOf({ columns }: Pick<TableForm, "columns">, row: StoredRow): string {
  return JSON.stringify(Object.fromEntries(columns.map((column) => [column, row[column] ?? null])));
}
