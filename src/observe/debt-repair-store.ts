import { and, asc, eq, lte, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { cleanupDebtTable } from "../db/tables.ts";
import type { Actor } from "../protocol/task-view.ts";
import type { DebtOutcome, DueDebt } from "./debt-repair.ts";

/* Debts as the sweeper sees them. Conditions are written out: SQLite takes a partial index only where it can prove that it applies. */

const IS_OPEN = sql`${cleanupDebtTable.state} = 'open'`;

/** Who settles a debt without anyone's help. */
const BATUTA: Actor = { kind: "system", id: "batuta" };

/** Open debts of all tenants that are due at an instant in the stored form, the longest due first, `limit` at most. */
export function readDueDebts(db: D1Database, now: string, limit: number): Promise<DueDebt[]> {
  const { tenant, debt_id, task_id, kind, owner, expires_at, tries, due_at } = cleanupDebtTable;
  return drizzle(db)
    .select({ tenant, debt_id, task_id, kind, owner, expires_at, tries })
    .from(cleanupDebtTable)
    .where(and(IS_OPEN, lte(due_at, now)))
    .orderBy(asc(due_at))
    .limit(limit);
}

/** Writes down what became of a debt, unless somebody has closed it; whether it was written. */
export async function recordDebt(
  db: D1Database,
  debt: Pick<DueDebt, "tenant" | "debt_id">,
  { state, at, detail, due_at }: DebtOutcome,
): Promise<boolean> {
  const { tenant, debt_id, tries } = cleanupDebtTable;
  const rows = await drizzle(db)
    .update(cleanupDebtTable)
    .set({
      state,
      due_at,
      ...(detail !== null && {
        tries: sql`${tries} + 1`,
        last_tried_at: at,
        last_detail: detail,
      }),
      ...(state === "settled" && { settled_at: at, settled_by: JSON.stringify(BATUTA) }),
    })
    .where(and(eq(tenant, debt.tenant), eq(debt_id, debt.debt_id), IS_OPEN))
    .returning({ debt_id });
  return rows.length > 0;
}

/** When the open debts of a tenant came up, oldest first, `limit` at most. */
export async function readOpenDebts(
  db: D1Database,
  tenant: string,
  limit: number,
): Promise<{ created_at: string }[]> {
  const { created_at, debt_id } = cleanupDebtTable;
  return drizzle(db)
    .select({ created_at })
    .from(cleanupDebtTable)
    .where(and(eq(cleanupDebtTable.tenant, tenant), IS_OPEN))
    .orderBy(asc(created_at), asc(debt_id))
    .limit(limit);
}
