import { and, desc, eq, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { isBefore } from "../db/keyset.ts";
import { cleanupDebtTable } from "../db/tables.ts";
import { ok, type Result } from "../lib/result.ts";
import {
  cleanupDebtViewSchema,
  type CleanupDebtView,
  type DebtsQuery,
} from "../protocol/cleanup-debt.ts";
import { pageOf, placeOf, type Page, type Place } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Actor } from "../protocol/task-view.ts";
import { scannedPage } from "./scanned-page.ts";

/* What the ends of tasks left undone, as those see it who can do something about it. */

/** Rows that one page looks at, at most: a rare filter must not cost a scan of all debts. */
const MAX_SCANNED = 2_000;

type Row = typeof cleanupDebtTable.$inferSelect;

function viewOf({ tenant: _tenant, due_at: _due_at, settled_by, ...row }: Row): CleanupDebtView {
  const by: unknown = settled_by === null ? null : JSON.parse(settled_by);
  return cleanupDebtViewSchema.parse({ ...row, settled_by: by });
}

function placeAt({ created_at, debt_id }: Row): Place {
  return { at: created_at, id: debt_id };
}

/** The rows of a page in index order. The condition is written out: SQLite takes a partial index only where it can prove that it applies. */
function keyed(tenant: string, query: DebtsQuery, place: Place | null): SQL | undefined {
  const { created_at, debt_id, state } = cleanupDebtTable;
  return and(
    eq(cleanupDebtTable.tenant, tenant),
    query.state === "open" ? sql`${state} = 'open'` : undefined,
    isBefore({ at: created_at, id: debt_id }, place),
  );
}

function scanOf(db: D1Database, keys: SQL | undefined) {
  return drizzle(db)
    .select()
    .from(cleanupDebtTable)
    .where(keys)
    .orderBy(desc(cleanupDebtTable.created_at), desc(cleanupDebtTable.debt_id))
    .limit(MAX_SCANNED)
    .as("scan");
}

function filtersOf(scan: ReturnType<typeof scanOf>, query: DebtsQuery): SQL[] {
  return (["state", "kind", "owner", "task_id"] as const).flatMap((name) => {
    const value = query[name];
    return value === undefined ? [] : [eq(scan[name], value)];
  });
}

/** The last row that a scan has looked at, when there may be more behind it. */
async function scanEnd(db: D1Database, keys: SQL | undefined): Promise<Place | null> {
  const row = await drizzle(db)
    .select({ at: cleanupDebtTable.created_at, id: cleanupDebtTable.debt_id })
    .from(cleanupDebtTable)
    .where(keys)
    .orderBy(desc(cleanupDebtTable.created_at), desc(cleanupDebtTable.debt_id))
    .limit(1)
    .offset(MAX_SCANNED - 1)
    .get();
  return row ?? null;
}

/**
 * Debts of a tenant that fit, newest first.
 *
 * A page may be short, even empty, with a `next_cursor` that goes on: one call looks at 2,000 at most. Refuses
 * a cursor that is not one.
 */
export async function listDebts(
  db: D1Database,
  tenant: string,
  query: DebtsQuery,
): Promise<Result<Page<CleanupDebtView>, Refusal>> {
  const from = placeOf(query.cursor);
  if (!from.ok) return from;
  const keys = keyed(tenant, query, from.value);
  const scan = scanOf(db, keys);
  const filters = filtersOf(scan, query);
  // In the order of the scan: a second ORDER BY would sort all that was looked at before the first row comes.
  const rows = await drizzle(db)
    .select()
    .from(scan)
    .where(and(...filters))
    .limit(query.limit + 1);
  const as = { place: placeAt, item: viewOf };
  // Without a filter a page that is not full has seen all there is.
  return ok(
    filters.length === 0
      ? pageOf(rows, query.limit, as)
      : await scannedPage(rows, query.limit, as, () => scanEnd(db, keys)),
  );
}

function named(tenant: string, debt_id: string): SQL | undefined {
  return and(eq(cleanupDebtTable.tenant, tenant), eq(cleanupDebtTable.debt_id, debt_id));
}

/** One debt, or null. */
export async function readDebt(
  db: D1Database,
  tenant: string,
  debt_id: string,
): Promise<CleanupDebtView | null> {
  const row = await drizzle(db).select().from(cleanupDebtTable).where(named(tenant, debt_id)).get();
  return row === undefined ? null : viewOf(row);
}

/** Settles an open debt, once: whoever comes second gets null, and nothing is written. */
export async function settleDebt(
  db: D1Database,
  debt: { tenant: string; debt_id: string },
  settled: { at: string; by: Actor; note: string | null },
): Promise<CleanupDebtView | null> {
  const { last_detail, state } = cleanupDebtTable;
  const rows = await drizzle(db)
    .update(cleanupDebtTable)
    .set({
      state: "settled",
      settled_at: settled.at,
      settled_by: JSON.stringify(settled.by),
      last_detail: sql`coalesce(${settled.note}, ${last_detail})`,
    })
    .where(and(named(debt.tenant, debt.debt_id), sql`${state} = 'open'`))
    .returning();
  const row = rows[0];
  return row === undefined ? null : viewOf(row);
}
