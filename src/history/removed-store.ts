import { and, asc, eq, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { isAfter } from "../db/keyset.ts";
import { removedTaskTable, taskTable } from "../db/tables.ts";
import type { Place } from "../protocol/keyset.ts";
import type { ForgottenPage, RemovedKey } from "./forgetting.ts";
import { outcomeOfRow, outcomeRowOf } from "./removed-outcome.ts";
import type { FormerTask, OldTask, Removal, RemovedTask } from "./removed.ts";

/* Tasks whose retention is over, before and after they are removed from D1, and until nobody knows them. */

/** What is left of a task that was removed; null when none of this id was. */
export async function readRemoved(
  db: D1Database,
  tenant: string,
  task_id: string,
): Promise<RemovedTask | null> {
  const { tenant: owner, task_id: id } = removedTaskTable;
  const row = await drizzle(db)
    .select()
    .from(removedTaskTable)
    .where(and(eq(owner, tenant), eq(id, task_id)))
    .get();
  if (row === undefined) return null;
  const { ended_at, removed_at, agent_id, body_hash, archive_key: key } = row;
  const { archive_offset: offset, archive_length: length } = row;
  return {
    ended_at,
    removed_at,
    agent_id,
    body_hash,
    outcome: outcomeOfRow(row),
    place: key === null || offset === null || length === null ? null : { key, offset, length },
  };
}

/** The task of this id that has ended, as far as history knows one. */
export async function readFormer(
  db: D1Database,
  tenant: string,
  task_id: string,
): Promise<FormerTask | null> {
  const orm = drizzle(db);
  const [kept, removed] = await orm.batch([
    orm
      .select({ body_hash: taskTable.body_hash, phase: taskTable.phase })
      .from(taskTable)
      .where(and(eq(taskTable.tenant, tenant), eq(taskTable.task_id, task_id))),
    orm
      .select({ body_hash: removedTaskTable.body_hash, removed_at: removedTaskTable.removed_at })
      .from(removedTaskTable)
      .where(and(eq(removedTaskTable.tenant, tenant), eq(removedTaskTable.task_id, task_id))),
  ]);
  if (removed[0] !== undefined) return removed[0];
  const ended = kept.find(({ phase }) => phase === "ended");
  return ended === undefined ? null : { body_hash: ended.body_hash, removed_at: null };
}

/** Tasks of a tenant that were created before an instant, oldest first; all, ended or not. */
export async function readOldTasks(
  db: D1Database,
  tenant: string,
  { before, place, limit }: { before: string; place: Place | null; limit: number },
): Promise<{ tasks: OldTask[]; next: Place | null }> {
  const { created_at, task_id, phase, view, bulk, events } = taskTable;
  const runs = sql`(SELECT coalesce(sum(octet_length(old.events)), 0) FROM task_log AS old
    WHERE old.tenant = ${taskTable.tenant} AND old.task_id = ${task_id})`;
  const rows = await drizzle(db)
    .select({
      task_id,
      created_at,
      phase,
      ended_at: sql<string | null>`${view} ->> '$.ended_at'`,
      bytes: sql<number>`octet_length(${view}) + coalesce(octet_length(${bulk}), 0)
        + octet_length(${events}) + ${runs}`,
    })
    .from(taskTable)
    .where(
      and(
        eq(taskTable.tenant, tenant),
        lt(created_at, before),
        isAfter({ at: created_at, id: task_id }, place),
      ),
    )
    .orderBy(asc(created_at), asc(task_id))
    .limit(limit);
  const last = rows.at(-1);
  const isMore = rows.length === limit && last !== undefined;
  return { tasks: rows, next: isMore ? { at: last.created_at, id: last.task_id } : null };
}

const NOTE = `
INSERT INTO removed_task (tenant, task_id, ended_at, removed_at, agent_id, body_hash, outcome,
  archive_key, archive_offset, archive_length)
SELECT old.tenant, old.task_id, new.value ->> 'ended_at', new.value ->> 'removed_at', old.agent_id, old.body_hash,
  new.value -> 'outcome', new.value ->> '$.place.key', new.value ->> '$.place.offset', new.value ->> '$.place.length'
FROM json_each(?2) AS new CROSS JOIN task AS old ON old.tenant = ?1 AND old.task_id = new.value ->> 'task_id'
  AND old.created_at = new.value ->> 'created_at' AND old.seq = new.value ->> 'seq'
WHERE true
ON CONFLICT DO NOTHING`;

/** What was not noted has changed since it was read, and stays. */
const NOTED = `json_each(?2) AS new CROSS JOIN removed_task AS gone
  ON gone.tenant = ?1 AND gone.task_id = new.value ->> 'task_id'`;

const OF_TASK = "old.tenant = gone.tenant AND old.task_id = gone.task_id";

const FORGET = [
  `DELETE FROM task_log WHERE (tenant, task_id, first_seq) IN (
    SELECT old.tenant, old.task_id, old.first_seq FROM ${NOTED} CROSS JOIN task_log AS old ON ${OF_TASK})`,
  `DELETE FROM escalation WHERE (tenant, escalation_id) IN (
    SELECT ?1, one.value FROM ${NOTED} CROSS JOIN json_each(new.value -> 'escalation_ids') AS one)`,
  `DELETE FROM cleanup_debt WHERE (tenant, debt_id) IN (
    SELECT ?1, one.value FROM ${NOTED} CROSS JOIN json_each(new.value -> 'debt_ids') AS one)`,
  `DELETE FROM task_rating WHERE (tenant, task_id) IN (
    SELECT old.tenant, old.task_id FROM ${NOTED} CROSS JOIN task_rating AS old ON ${OF_TASK})`,
  `DELETE FROM task WHERE (tenant, task_id) IN (
    SELECT old.tenant, old.task_id FROM ${NOTED} CROSS JOIN task AS old ON ${OF_TASK})`,
];

/**
 * Removes tasks and notes that it did, all or none, in one round trip; one that has changed since it was read stays.
 * Lessons stay: they are what executors told everyone.
 *
 * Rows written for each: 1 for the note and those that go, of the task 2 or 3. What was counted of them stays counted.
 *
 * @throws when D1 fails; then nothing was removed
 */
export async function removeTasks(
  db: D1Database,
  tenant: string,
  removals: readonly Removal[],
): Promise<void> {
  if (removals.length === 0) return;
  const parameter = JSON.stringify(
    removals.map((removal) => ({ ...removal, outcome: outcomeRowOf(removal.outcome) })),
  );
  await db.batch([NOTE, ...FORGET].map((text) => db.prepare(text).bind(tenant, parameter)));
}

const NEXT = `
SELECT tenant, task_id FROM removed_task WHERE (tenant, task_id) > (?1, ?2)
ORDER BY tenant, task_id LIMIT 1 OFFSET ?3`;

const OF_LAST_PAGE =
  "DELETE FROM removed_task WHERE (tenant, task_id) > (?1, ?2) AND removed_at < ?3";
const OF_PAGE = `${OF_LAST_PAGE} AND (tenant, task_id) <= (?4, ?5)`;

/**
 * Forgets those of a page of removed tasks, in the order of their key, that were removed before an instant.
 *
 * Rows written: 1 for each that goes. Rows read: two for each of the page.
 *
 * @throws when D1 fails; what went then is forgotten all the same
 */
export async function forgetPage(
  db: D1Database,
  { behind, before, limit }: { behind: RemovedKey; before: string; limit: number },
): Promise<ForgottenPage> {
  const { tenant, task_id } = behind;
  const next = await db
    .prepare(NEXT)
    .bind(tenant, task_id, limit - 1)
    .first<RemovedKey>();
  const { meta } =
    next === null
      ? await db.prepare(OF_LAST_PAGE).bind(tenant, task_id, before).run()
      : await db.prepare(OF_PAGE).bind(tenant, task_id, before, next.tenant, next.task_id).run();
  return { count: meta.changes, next };
}
