import * as z from "zod";

import { childReportSchema } from "../../protocol/kin.ts";
import type { ChildReport } from "../../protocol/kin.ts";
import { jsonObjectSchema } from "../../protocol/primitives.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import { omitted } from "./carry.ts";
import type { Child, Family } from "./family.ts";

/*
 * One table for whoever a task is related to, made when the first of them comes: a task without kin has none.
 *   waiter  a task that waits for this one's end
 *   child   a child: what was set aside for it, and its last report
 *   shared  what the executors of this task and of its children share
 */

const amountSchema = z.number().nullable();

const childSchema = z.object({
  weight: z.number(),
  reserved: z.object({
    cost_usd: amountSchema,
    tokens: amountSchema,
    attempts: amountSchema,
    children: amountSchema,
  }),
  adopted_at: z.int(),
  place: z.int(),
  report: childReportSchema.nullable(),
});
type StoredChild = z.infer<typeof childSchema>;

interface Row extends Record<string, SqlStorageValue> {
  id: string;
  body: string;
}

function hasTable(sql: SqlStorage): boolean {
  return sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'relation'").toArray().length > 0;
}

function rows(sql: SqlStorage, kind: "waiter" | "child" | "shared"): Row[] {
  if (!hasTable(sql)) return [];
  return sql.exec<Row>("SELECT id, body FROM relation WHERE kind = ?", kind).toArray();
}

function write(sql: SqlStorage, kind: "waiter" | "child" | "shared", row: Row): void {
  sql.exec(
    `CREATE TABLE IF NOT EXISTS relation
     (kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID`,
  );
  sql.exec(
    "INSERT OR REPLACE INTO relation (kind, id, body) VALUES (?, ?, ?)",
    kind,
    row.id,
    row.body,
  );
}

function remove(sql: SqlStorage, kind: "waiter" | "child", id: string): void {
  if (hasTable(sql)) sql.exec("DELETE FROM relation WHERE kind = ? AND id = ?", kind, id);
}

/** Tasks that wait for this one's end. */
export function readWaiters(sql: SqlStorage): string[] {
  return rows(sql, "waiter").map(({ id }) => id);
}

/** Remembers a task that waits; one that is known costs nothing. */
export function writeWaiter(sql: SqlStorage, task_id: string): void {
  if (readWaiters(sql).includes(task_id)) return;
  write(sql, "waiter", { id: task_id, body: "" });
}

/** Forgets a task that waited. */
export function removeWaiter(sql: SqlStorage, task_id: string): void {
  remove(sql, "waiter", task_id);
}

/** A child's row without what it made: a thousand results are more than an object has memory for. */
const WITHOUT_RESULT = "json_set(body, '$.report.result', null)";

function readChild(sql: SqlStorage, task_id: string, hasResult: boolean): StoredChild | null {
  const body = hasResult ? "body" : WITHOUT_RESULT;
  const query = `SELECT id, ${body} AS body FROM relation WHERE kind = 'child' AND id = ?`;
  const [row] = sql.exec<Row>(query, task_id).toArray();
  return row === undefined ? null : childSchema.parse(JSON.parse(row.body));
}

/** The children in the order of adoption, and how many bytes each one's row has. */
function sizesOf(sql: SqlStorage): { id: string; size: number }[] {
  if (!hasTable(sql)) return [];
  const size = "length(CAST(body AS BLOB)) AS size";
  const order = "ORDER BY json_extract(body, '$.place')";
  return sql
    .exec<{ id: string; size: number }>(
      `SELECT id, ${size} FROM relation WHERE kind = 'child' ${order}`,
    )
    .toArray();
}

/** The children without what they made, or null when there are none. */
export function readFamily(sql: SqlStorage): Family | null {
  const stored = sizesOf(sql).flatMap(({ id }) => {
    const child = readChild(sql, id, false);
    return child === null ? [] : [{ task_id: id, ...child }];
  });
  const children = stored.map(({ place: _place, report, ...child }): Child => {
    if (report === null) return { ...child, report };
    const { result: _result, quality: _quality, ...told } = report;
    return { ...child, report: told };
  });
  return children.length === 0 ? null : { children };
}

/**
 * The last reports of the children, results included, in the order of adoption.
 *
 * @param most bytes of all of them together; a result beyond that is named by its address
 */
export function readReports(sql: SqlStorage, most = Infinity): ChildReport[] {
  let together = 0;
  return sizesOf(sql).flatMap(({ id, size }) => {
    const isIn = together + size <= most;
    if (isIn) together += size;
    const report = readChild(sql, id, isIn)?.report ?? null;
    if (report === null) return [];
    return [isIn || !report.is_ended ? report : { ...report, result: omitted(id) }];
  });
}

function lastPlace(sql: SqlStorage): number {
  if (!hasTable(sql)) return 0;
  const rowsOfPlaces = sql.exec<{ last: number | null }>(
    "SELECT max(json_extract(body, '$.place')) AS last FROM relation WHERE kind = 'child'",
  );
  return rowsOfPlaces.one().last ?? 0;
}

/** Remembers new children, behind those that are known. */
export function writeChildren(sql: SqlStorage, children: readonly Child[]): void {
  const last = lastPlace(sql);
  for (const [index, { task_id, ...child }] of children.entries()) {
    const stored: StoredChild = { ...child, report: null, place: last + index + 1 };
    write(sql, "child", { id: task_id, body: JSON.stringify(stored) });
  }
}

/** Replaces what a child last reported. The use is the one that the family has, which never falls. */
export function writeReport(sql: SqlStorage, child: Child, report: ChildReport): void {
  const stored = readChild(sql, child.task_id, false);
  if (stored === null) return;
  const used = child.report?.used ?? report.used;
  const body = JSON.stringify({ ...stored, report: { ...report, used } });
  write(sql, "child", { id: child.task_id, body });
}

/** Forgets a child that never came to be. */
export function removeChild(sql: SqlStorage, task_id: string): void {
  remove(sql, "child", task_id);
}

/** What the executors share; empty when nobody has shared anything. */
export function readShared(sql: SqlStorage): JsonObject {
  const [row] = rows(sql, "shared");
  return row === undefined ? {} : jsonObjectSchema.parse(JSON.parse(row.body));
}

/** Replaces what the executors share. */
export function writeShared(sql: SqlStorage, context: JsonObject): void {
  write(sql, "shared", { id: "", body: JSON.stringify(context) });
}
