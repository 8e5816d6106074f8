import { and, desc, eq, gte, lt, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { validationRecordTable } from "../db/validation-table.ts";
import { instant } from "../lib/ports.ts";
import { ok, type Result } from "../lib/result.ts";
import { placeOf, type Page, type Place } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";
import {
  validationOutcomeSchema,
  validationRecordSchema,
  type ValidationRecord,
  type ValidationsQuery,
  type ValidationSummary,
} from "../protocol/validation-record.ts";
import { scannedPage } from "./scanned-page.ts";

/* What was checked of messages, as it is kept in D1. `tenant` null means all of them, and nobody. */

/** Records that one page looks at, and one summary, at most: a rare filter must not cost a scan of all. */
const MAX_SCANNED = { page: 2_000, summary: 20_000 };

/** Rows that one statement deletes. */
const DELETED_AT_ONCE = 1_000;

/** Digits of an instant in an id: they last until the year 2286. */
const TIME_DIGITS = 13;

const { record_id, tenant, outcome, route, code, weight, record } = validationRecordTable;

/** The least id of an instant, epoch milliseconds: ids begin with the time, so that their order is that of arrival. */
function leastId(ms: number): string {
  return `val_${String(Math.max(0, Math.floor(ms))).padStart(TIME_DIGITS, "0")}`;
}

/**
 * The id of a record.
 *
 * @param unique letters and digits, different for each record
 */
export function validationId(ms: number, unique: string): string {
  return `${leastId(ms)}_${unique}`;
}

/** Stores records in one statement, whatever their number; one that is stored already stays as it is. */
export async function writeValidations(
  db: D1Database,
  records: readonly ValidationRecord[],
): Promise<void> {
  const rows = records.map((one) => ({ ...one, tenant: one.tenant ?? "", record: one }));
  await drizzle(db).run(sql`
    INSERT OR IGNORE INTO ${validationRecordTable}
      (record_id, tenant, outcome, route, code, weight, record)
    SELECT value ->> 'record_id', value ->> 'tenant', value ->> 'outcome', value ->> 'route',
      value ->> 'code', value ->> 'weight', value -> 'record'
    FROM json_each(${JSON.stringify(rows)})`);
}

function parsed(text: string): ValidationRecord {
  return validationRecordSchema.parse(JSON.parse(text));
}

function keyed(owner: string | null, since: string | undefined, place: Place | null) {
  return and(
    owner === null ? undefined : eq(tenant, owner),
    since === undefined ? undefined : gte(record_id, leastId(Date.parse(since))),
    place === null ? undefined : lt(record_id, place.id),
  );
}

function scanOf(db: D1Database, keys: SQL | undefined, limit: number) {
  return drizzle(db)
    .select({ record_id, outcome, route, code, weight, record })
    .from(validationRecordTable)
    .where(keys)
    .orderBy(desc(record_id))
    .limit(limit)
    .as("scan");
}

/** The place of a record in the list: its id says it all. */
function placeAt(row: { record_id: string }): Place {
  const ms = Number(row.record_id.slice("val_".length, "val_".length + TIME_DIGITS));
  return { at: instant(ms), id: row.record_id };
}

async function scanEnd(db: D1Database, keys: SQL | undefined): Promise<Place | null> {
  const row = await drizzle(db)
    .select({ record_id })
    .from(validationRecordTable)
    .where(keys)
    .orderBy(desc(record_id))
    .limit(1)
    .offset(MAX_SCANNED.page - 1)
    .get();
  return row === undefined ? null : placeAt(row);
}

/**
 * Records that fit, newest first.
 *
 * A page may be short, even empty, with a `next_cursor` that goes on: one call looks at 2,000 at most. Refuses a
 * cursor that is not one.
 */
export async function listValidations(
  db: D1Database,
  owner: string | null,
  query: Omit<ValidationsQuery, "all">,
): Promise<Result<Page<ValidationRecord>, Refusal>> {
  const from = placeOf(query.cursor);
  if (!from.ok) return from;
  const keys = keyed(owner, query.since, from.value);
  const scan = scanOf(db, keys, MAX_SCANNED.page);
  const filters = (["outcome", "route", "code"] as const).flatMap((name) => {
    const value = query[name];
    return value === undefined ? [] : [eq(scan[name], value)];
  });
  const rows = await drizzle(db)
    .select({ record_id: scan.record_id, record: scan.record })
    .from(scan)
    .where(and(...filters))
    .limit(query.limit + 1);
  const as = { place: placeAt, item: (row: { record: string }) => parsed(row.record) };
  return ok(await scannedPage(rows, query.limit, as, () => scanEnd(db, keys)));
}

/** One record, or null. */
export async function readValidation(
  db: D1Database,
  owner: string | null,
  id: string,
): Promise<ValidationRecord | null> {
  const row = await drizzle(db)
    .select({ record })
    .from(validationRecordTable)
    .where(and(eq(record_id, id), owner === null ? undefined : eq(tenant, owner)))
    .get();
  return row === undefined ? null : parsed(row.record);
}

/** Validations by route, outcome and code since an instant, the most frequent first; from the newest 20,000 records. */
export async function summariseValidations(
  db: D1Database,
  owner: string | null,
  since: string,
): Promise<ValidationSummary> {
  const scan = scanOf(db, keyed(owner, since, null), MAX_SCANNED.summary);
  const rows = await drizzle(db)
    .select({
      route: scan.route,
      outcome: scan.outcome,
      code: scan.code,
      records: sql<number>`count(*)`,
      estimate: sql<number>`sum(${scan.weight})`,
    })
    .from(scan)
    .groupBy(scan.route, scan.outcome, scan.code)
    .orderBy(sql`5 DESC`, scan.route);
  const items = rows.map((row) => ({
    ...row,
    outcome: validationOutcomeSchema.parse(row.outcome),
  }));
  const looked = items.reduce((total, { records }) => total + records, 0);
  return { since, is_complete: looked < MAX_SCANNED.summary, items };
}

/** Forgets the oldest thousand of the records from before an instant, and says how many those were. */
export async function removeOldValidations(db: D1Database, before: number): Promise<number> {
  const { meta } = await drizzle(db).run(sql`
    DELETE FROM ${validationRecordTable} WHERE record_id IN (
      SELECT record_id FROM ${validationRecordTable} AS aged
      WHERE aged.record_id < ${leastId(before)} ORDER BY aged.record_id LIMIT ${DELETED_AT_ONCE})`);
  return meta.changes;
}
