import { and, asc, desc, eq, gt, inArray, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { isAfter } from "../db/keyset.ts";
import { taskTable } from "../db/tables.ts";
import type { Place } from "../protocol/keyset.ts";
import type { ActivePage, ActiveRow } from "./active.ts";

/* Tasks that have not ended, as the index in D1 has them. Their objects are the authority. */

/** Tasks of one status that a count looks at, at most. */
const MAX_COUNTED = 10_000;

/**
 * The newest tasks among which those are looked for that are being finalised.
 *
 * Their status is settled already, and no index tells them from the many that have ended: that would be a row written
 * for each task. A task is finalised within minutes, so it is among the newest unless it lived long.
 */
const MAX_FINALIZING_SCAN = 2_000;

/** The status of tasks whose outcome is open; `escalated` is also that of some that have ended. */
const OPEN_STATUSES = ["pending", "running", "escalated"] as const;
const SETTLED_STATUSES = ["completed", "failed", "cancelled"];

/** How many tasks are in one status and phase, and the oldest of them. */
interface ActiveGroup {
  status: string;
  phase: string;
  count: number;
  created_at: string;
  task_id: string;
}

const COLUMNS = {
  task_id: taskTable.task_id,
  created_at: taskTable.created_at,
  seq: taskTable.seq,
  status: taskTable.status,
  phase: taskTable.phase,
  deadline_at: sql<string | null>`${taskTable.view} ->> '$.deadline_at'`.as("deadline_at"),
  updated_at: sql<string>`${taskTable.view} ->> '$.updated_at'`.as("updated_at"),
  inside: sql<string>`(${taskTable.view} ->> '$.seq') || '/' || (${taskTable.view} ->> '$.status')
    || '/' || (${taskTable.view} ->> '$.phase')`.as("inside"),
};

/** The condition is written out: SQLite takes a partial index only where it can prove that it applies. */
function ofStatus(tenant: string, status: string) {
  return and(
    eq(taskTable.tenant, tenant),
    eq(taskTable.status, status),
    sql`${taskTable.status} <> 'completed'`,
  );
}

/**
 * Tasks whose outcome is settled and that have not ended yet, among the newest 2,000.
 *
 * The views are read of these alone: 2,000 of them would keep the database from everybody else for as long as it takes to
 * parse them. A cross join, because SQLite keeps the order of its sides.
 */
export async function readFinalizing(db: D1Database, tenant: string): Promise<ActiveRow[]> {
  const { created_at, phase, status, task_id } = taskTable;
  const scan = drizzle(db)
    .select({ task_id, phase, status })
    .from(taskTable)
    .where(eq(taskTable.tenant, tenant))
    .orderBy(desc(created_at), desc(task_id))
    .limit(MAX_FINALIZING_SCAN)
    .as("scan");
  const isFinalizing = and(eq(scan.phase, "finalizing"), inArray(scan.status, SETTLED_STATUSES));
  return drizzle(db)
    .select(COLUMNS)
    .from(scan)
    .crossJoin(taskTable)
    .where(and(isFinalizing, eq(taskTable.tenant, tenant), eq(task_id, scan.task_id)));
}

/**
 * Tasks that have not ended, by status and phase.
 *
 * Counts 10,000 of each open status at most; `isComplete` is false when there are more.
 */
export async function countActive(
  db: D1Database,
  tenant: string,
): Promise<{ groups: ActiveGroup[]; isComplete: boolean }> {
  const counts = OPEN_STATUSES.map((status) =>
    db
      .prepare(
        // task_id goes with the smallest created_at (sqlite.org/lang_select.html, bare columns).
        `SELECT status, phase, count(*) AS count, min(created_at) AS created_at, task_id FROM (
           SELECT status, phase, created_at, task_id FROM task
           WHERE tenant = ?1 AND status = ?2 AND status <> 'completed'
           ORDER BY created_at DESC, task_id DESC LIMIT ${MAX_COUNTED + 1})
         GROUP BY phase`,
      )
      .bind(tenant, status),
  );
  const [finalizing, ...counted] = await Promise.all([
    readFinalizing(db, tenant),
    ...counts.map(async (statement) => (await statement.all<ActiveGroup>()).results),
  ]);
  const looked = counted.map((groups) => groups.reduce((sum, { count }) => sum + count, 0));
  const settled = [...Map.groupBy(finalizing, ({ status }) => status)].map(([status, rows]) => {
    const oldest = rows.at(-1) ?? { created_at: "", task_id: "" };
    const { created_at, task_id } = oldest;
    return { status, phase: "finalizing", count: rows.length, created_at, task_id };
  });
  return {
    groups: [...counted.flat().filter(({ phase }) => phase !== "ended"), ...settled],
    isComplete: looked.every((count) => count <= MAX_COUNTED),
  };
}

function pageFrom(rows: readonly ActiveRow[], limit: number): ActivePage {
  const page = rows
    .toSorted((a, b) =>
      a.created_at < b.created_at || (a.created_at === b.created_at && a.task_id < b.task_id)
        ? -1
        : 1,
    )
    .slice(0, limit);
  const last = page.at(-1);
  return {
    rows: page,
    next:
      rows.length > limit && last !== undefined ? { at: last.created_at, id: last.task_id } : null,
  };
}

const KEY = { at: taskTable.created_at, id: taskTable.task_id };

/** Tasks in an open status, some of which have ended. */
export async function readOpenRows(
  db: D1Database,
  tenant: string,
  place: Place | null,
  limit: number,
): Promise<ActivePage> {
  const found = await Promise.all(
    OPEN_STATUSES.map((status) =>
      drizzle(db)
        .select(COLUMNS)
        .from(taskTable)
        .where(and(ofStatus(tenant, status), isAfter(KEY, place)))
        .orderBy(asc(taskTable.created_at), asc(taskTable.task_id))
        .limit(limit + 1),
    ),
  );
  return pageFrom(found.flat(), limit);
}

/** All tasks of a tenant. */
export async function readAllRows(
  db: D1Database,
  tenant: string,
  place: Place | null,
  limit: number,
): Promise<ActivePage> {
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(taskTable)
    .where(and(eq(taskTable.tenant, tenant), isAfter(KEY, place)))
    .orderBy(asc(taskTable.created_at), asc(taskTable.task_id))
    .limit(limit + 1);
  return pageFrom(rows, limit);
}

/** The rows of these tasks, as far as there are any. The ids travel as one parameter, because D1 binds 100. */
export function readNamedRows(
  db: D1Database,
  tenant: string,
  task_ids: readonly string[],
): Promise<ActiveRow[]> {
  const named = sql`(SELECT value FROM json_each(${JSON.stringify(task_ids)}))`;
  return drizzle(db)
    .select(COLUMNS)
    .from(taskTable)
    .where(and(eq(taskTable.tenant, tenant), sql`${taskTable.task_id} IN ${named}`));
}

/**
 * Has a row that claims to be newer than its task is count as older than anything, because a rebuild would leave it alone.
 * It stays, because what has a row was counted in the roll-up.
 */
export async function forgetNewer(
  db: D1Database,
  task: { tenant: string; task_id: string },
  seq: number,
): Promise<void> {
  await drizzle(db)
    .update(taskTable)
    .set({ seq: 0 })
    .where(
      and(
        eq(taskTable.tenant, task.tenant),
        eq(taskTable.task_id, task.task_id),
        gt(taskTable.seq, seq),
      ),
    );
}
