import { and, desc, eq, ne, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { isBefore } from "../db/keyset.ts";
import { taskTable } from "../db/tables.ts";
import { instant } from "../lib/ports.ts";
import { ok, type Result } from "../lib/result.ts";
import { placeOf, type Page, type Place } from "../protocol/keyset.ts";
import type { StatusRequest } from "../protocol/queries.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { taskViewSchema, type TaskView } from "../protocol/task-view.ts";
import { scannedPage } from "./scanned-page.ts";

/* The lists of a tenant, newest first, in pages by key. */

/**
 * Rows that one page of tasks looks at, at most.
 *
 * Filters other than the key are tried row by row, and a rare one must not cost a scan of all tasks.
 */
const MAX_SCANNED = 2_000;

/** Which tasks are meant: the query of the list, and what those who act on many may say besides. */
type TaskFilter = Omit<StatusRequest, "cursor" | "limit"> & {
  created_before?: string | undefined;
  batch_id?: string | undefined;
  parent_task_id?: string | undefined;
  pool?: string | undefined;
  /** Leaves out tasks that have ended. */
  isActive?: boolean | undefined;
};

type TaskQuery = TaskFilter & Pick<StatusRequest, "cursor" | "limit">;

const TASK_PLACE = {
  place: (row: { created_at: string; task_id: string }): Place => ({
    at: row.created_at,
    id: row.task_id,
  }),
};

/** Tasks in a status other than completed, by the index on them. */
function ofStatus({ status }: TaskFilter): SQL | undefined {
  if (status === undefined || status === "completed") return undefined;
  // Its condition is written out: SQLite takes a partial index only where it can prove that it applies.
  return and(eq(taskTable.status, status), sql`${taskTable.status} <> 'completed'`);
}

/** The rows of a page in index order: which tasks may be looked at, before any filter. */
function keyed(tenant: string, query: TaskFilter, place: Place | null): SQL | undefined {
  const stored = (at: string) => instant(Date.parse(at));
  const createdAfter =
    query.created_after === undefined
      ? undefined
      : sql`${taskTable.created_at} > ${stored(query.created_after)}`;
  const createdBefore =
    query.created_before === undefined
      ? undefined
      : sql`${taskTable.created_at} < ${stored(query.created_before)}`;
  return and(
    eq(taskTable.tenant, tenant),
    ofStatus(query),
    isBefore({ at: taskTable.created_at, id: taskTable.task_id }, place),
    createdAfter,
    createdBefore,
  );
}

function scanOf(db: D1Database, keys: SQL | undefined) {
  return drizzle(db)
    .select({
      created_at: taskTable.created_at,
      task_id: taskTable.task_id,
      status: taskTable.status,
      phase: taskTable.phase,
      task_type: taskTable.task_type,
      priority: taskTable.priority,
      agent_id: taskTable.agent_id,
      tags: taskTable.tags,
      view: taskTable.view,
    })
    .from(taskTable)
    .where(keys)
    .orderBy(desc(taskTable.created_at), desc(taskTable.task_id))
    .limit(MAX_SCANNED)
    .as("scan");
}

function filtersOf(scan: ReturnType<typeof scanOf>, query: TaskFilter): SQL | undefined {
  const names = ["status", "phase", "task_type", "agent_id", "priority"] as const;
  const equal = names.flatMap((name) => {
    const value = query[name];
    return value === undefined ? [] : [eq(scan[name], value)];
  });
  const tagged =
    query.tag === undefined
      ? undefined
      : sql`EXISTS (SELECT 1 FROM json_each(${scan.tags}) AS tag WHERE tag.value = ${query.tag})`;
  const inView = (["batch_id", "parent_task_id", "pool"] as const).flatMap((name) => {
    const value = query[name];
    return value === undefined ? [] : [sql`${scan.view} ->> ${`$.${name}`} = ${value}`];
  });
  const active = query.isActive === true ? ne(scan.phase, "ended") : undefined;
  return and(...equal, ...inView, tagged, active);
}

/** The last row that a scan has looked at, when there may be more behind it. */
async function scanEnd(db: D1Database, keys: SQL | undefined): Promise<Place | null> {
  const row = await drizzle(db)
    .select({ at: taskTable.created_at, id: taskTable.task_id })
    .from(taskTable)
    .where(keys)
    .orderBy(desc(taskTable.created_at), desc(taskTable.task_id))
    .limit(1)
    .offset(MAX_SCANNED - 1)
    .get();
  return row ?? null;
}

/**
 * Tasks of a tenant that fit, newest first.
 *
 * A page may be short, even empty, with a `next_cursor` that goes on: one call looks at 2,000 tasks at most.
 * Results, metadata and root causes that are too large for a list are null in it (history/bulk.ts).
 * Refuses a cursor that is not one.
 */
export async function listTasks(
  db: D1Database,
  tenant: string,
  query: TaskQuery,
): Promise<Result<Page<TaskView>, Refusal>> {
  const from = placeOf(query.cursor);
  if (!from.ok) return from;
  const keys = keyed(tenant, query, from.value);
  const scan = scanOf(db, keys);
  // In the order of the scan: a second ORDER BY would sort all that was looked at before the first row comes.
  const rows = await drizzle(db)
    .select({ created_at: scan.created_at, task_id: scan.task_id, view: scan.view })
    .from(scan)
    .where(filtersOf(scan, query))
    .limit(query.limit + 1);
  const as = {
    ...TASK_PLACE,
    item: (row: (typeof rows)[number]) => taskViewSchema.parse(JSON.parse(row.view)),
  };
  return ok(await scannedPage(rows, query.limit, as, () => scanEnd(db, keys)));
}
