import { and, desc, eq, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { isBefore } from "../db/keyset.ts";
import { escalationTable } from "../db/tables.ts";
import { ok, type Result } from "../lib/result.ts";
import { pageOf, placeOf, type Page, type Place } from "../protocol/keyset.ts";
import type { EscalationsQuery } from "../protocol/queries.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { escalationSchema, type Escalation } from "../protocol/task-view.ts";
import { scannedPage } from "./scanned-page.ts";

/** Which escalations to list. `level` is in their evidence: who may answer them. */
export type EscalationFilter = EscalationsQuery & { level?: "agent" };

/** Rows that one page looks at, at most: a rare filter must not cost a scan of all escalations. */
const MAX_SCANNED = 2_000;

const PLACE = { place: (row: Place): Place => row };

function keyed(tenant: string, query: EscalationFilter, place: Place | null): SQL | undefined {
  const { created_at, escalation_id, state } = escalationTable;
  return and(
    eq(escalationTable.tenant, tenant),
    query.state === undefined ? undefined : eq(state, query.state),
    isBefore({ at: created_at, id: escalation_id }, place),
  );
}

function scanOf(db: D1Database, keys: SQL | undefined) {
  const { created_at, escalation_id, body } = escalationTable;
  return drizzle(db)
    .select({ created_at, escalation_id, body })
    .from(escalationTable)
    .where(keys)
    .orderBy(desc(created_at), desc(escalation_id))
    .limit(MAX_SCANNED)
    .as("scan");
}

function filtersOf(scan: ReturnType<typeof scanOf>, query: EscalationFilter): SQL[] {
  const members = [
    ["$.kind", query.kind],
    ["$.urgency", query.urgency],
    ["$.task_id", query.task_id],
    ["$.evidence.level", query.level],
  ] as const;
  return members.flatMap(([path, value]) =>
    value === undefined ? [] : [sql`json_extract(${scan.body}, ${path}) = ${value}`],
  );
}

/** The last row that a scan has looked at, when there may be more behind it. */
async function scanEnd(db: D1Database, keys: SQL | undefined): Promise<Place | null> {
  const { created_at, escalation_id } = escalationTable;
  const row = await drizzle(db)
    .select({ at: created_at, id: escalation_id })
    .from(escalationTable)
    .where(keys)
    .orderBy(desc(created_at), desc(escalation_id))
    .limit(1)
    .offset(MAX_SCANNED - 1)
    .get();
  return row ?? null;
}

/**
 * Escalations of a tenant that fit, newest first.
 *
 * A page may be short, even empty, with a `next_cursor` that goes on: one call looks at 2,000 at most. Refuses
 * a cursor that is not one.
 */
export async function listEscalations(
  db: D1Database,
  tenant: string,
  query: EscalationFilter,
): Promise<Result<Page<Escalation>, Refusal>> {
  const from = placeOf(query.cursor);
  if (!from.ok) return from;
  const keys = keyed(tenant, query, from.value);
  const scan = scanOf(db, keys);
  const filters = filtersOf(scan, query);
  // In the order of the scan: a second ORDER BY would sort all that was looked at before the first row comes.
  const rows = await drizzle(db)
    .select({ at: scan.created_at, id: scan.escalation_id, body: scan.body })
    .from(scan)
    .where(and(...filters))
    .limit(query.limit + 1);
  const as = {
    ...PLACE,
    item: (row: (typeof rows)[number]) => escalationSchema.parse(JSON.parse(row.body)),
  };
  // Without a filter a page that is not full has seen all there is.
  return ok(
    filters.length === 0
      ? pageOf(rows, query.limit, as)
      : await scannedPage(rows, query.limit, as, () => scanEnd(db, keys)),
  );
}

/** One escalation as history last saw it, or null. */
export async function readEscalation(
  db: D1Database,
  tenant: string,
  escalation_id: string,
): Promise<Escalation | null> {
  const row = await drizzle(db)
    .select({ body: escalationTable.body })
    .from(escalationTable)
    .where(
      and(eq(escalationTable.tenant, tenant), eq(escalationTable.escalation_id, escalation_id)),
    )
    .get();
  return row === undefined ? null : escalationSchema.parse(JSON.parse(row.body));
}
