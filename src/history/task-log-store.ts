import { and, asc, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { removedTaskTable, taskLogTable, taskTable } from "../db/tables.ts";
import type { Page } from "../protocol/keyset.ts";
import {
  reportSchema,
  taskEventSchema,
  taskViewSchema,
  type Report,
  type TaskEvent,
  type TaskView,
} from "../protocol/task-view.ts";
import { timelineOf } from "../protocol/timeline.ts";
import { bulkSchema, restore } from "./bulk.ts";

/* What D1 knows of one task. It answers for a task whose object is gone, and lags behind one that lives. */

/** Bytes of events that one answer is made of at most, unless a single run is larger: a Worker has 128 MB. */
const PAGE_BYTES = 4_000_000;

/** Events per round trip when all of them are read. */
const ALL_EVENTS_PAGE = 1_000;

const eventsSchema = z.array(taskEventSchema);

function viewOfRow(row: { view: string; bulk: string | null }): TaskView {
  const view = taskViewSchema.parse(JSON.parse(row.view));
  return restore(view, row.bulk === null ? null : bulkSchema.parse(JSON.parse(row.bulk)));
}

/** The task view that history knows, or null. */
export async function readView(
  db: D1Database,
  tenant: string,
  task_id: string,
): Promise<TaskView | null> {
  const row = await drizzle(db)
    .select({ view: taskTable.view, bulk: taskTable.bulk })
    .from(taskTable)
    .where(and(eq(taskTable.tenant, tenant), eq(taskTable.task_id, task_id)))
    .get();
  return row === undefined ? null : viewOfRow(row);
}

/** Events of stored arrays that follow `after`, in order, each once. */
function eventsIn(stored: readonly string[], after: number): TaskEvent[] {
  const known = stored.flatMap((text) => eventsSchema.parse(JSON.parse(text)));
  const unique = new Map(
    known.filter((event) => event.seq > after).map((event) => [event.seq, event]),
  );
  return [...unique.values()].sort((a, b) => a.seq - b.seq);
}

/**
 * Tasks with their whole logs, of one moment and in one round trip; those that are not there are missing. The caller sees
 * to it that they are small enough together.
 *
 * `whole` throws where what is stored is not a task.
 */
export async function readWholeTasks(
  db: D1Database,
  tenant: string,
  task_ids: readonly string[],
): Promise<{ task_id: string; whole: () => { view: TaskView; events: TaskEvent[] } }[]> {
  const orm = drizzle(db);
  const wanted = sql`(SELECT value FROM json_each(${JSON.stringify(task_ids)}))`;
  const { task_id, view, bulk, events } = taskTable;
  const [tasks, runs] = await orm.batch([
    orm
      .select({ task_id, view, bulk, events })
      .from(taskTable)
      .where(and(eq(taskTable.tenant, tenant), sql`${task_id} IN ${wanted}`)),
    orm
      .select({ task_id: taskLogTable.task_id, events: taskLogTable.events })
      .from(taskLogTable)
      .where(and(eq(taskLogTable.tenant, tenant), sql`${taskLogTable.task_id} IN ${wanted}`)),
  ]);
  const runsOfTask = Map.groupBy(runs, (run) => run.task_id);
  return tasks.map((row) => {
    const stored = [row, ...(runsOfTask.get(row.task_id) ?? [])].map((one) => one.events);
    return {
      task_id: row.task_id,
      whole: () => ({ view: viewOfRow(row), events: eventsIn(stored, 0) }),
    };
  });
}

/** Runs from the one that holds `after + 1` on, as many as `PAGE_BYTES` and `limit` let through. */
function runsAfter(db: D1Database, task: { tenant: string; task_id: string }, page: EventPage) {
  const orm = drizzle(db);
  const ofTask = and(eq(taskLogTable.tenant, task.tenant), eq(taskLogTable.task_id, task.task_id));
  // No run lies inside another, so the nearest one that starts in time is the one that may hold it.
  const start = sql`coalesce((SELECT max(first_seq) FROM task_log AS old
    WHERE old.tenant = ${task.tenant} AND old.task_id = ${task.task_id}
      AND old.first_seq <= ${page.after + 1}), 0)`;
  const runs = orm
    .select({
      first_seq: taskLogTable.first_seq,
      events: taskLogTable.events,
      bytes: sql<number>`octet_length(${taskLogTable.events})`.as("bytes"),
      total: sql<number>`sum(octet_length(${taskLogTable.events})) OVER (ORDER BY first_seq)`.as(
        "total",
      ),
    })
    .from(taskLogTable)
    .where(and(ofTask, sql`${taskLogTable.first_seq} >= ${start}`))
    .orderBy(asc(taskLogTable.first_seq))
    // The first run may hold nothing that is asked for; every other one holds at least one event.
    .limit(page.limit + 2)
    .as("runs");
  return orm
    .select({ events: runs.events })
    .from(runs)
    .where(sql`${runs.total} - ${runs.bytes} < ${PAGE_BYTES}`);
}

interface EventPage {
  after: number;
  limit: number;
}

/**
 * Events of a task that history knows, in order of seq, each once.
 *
 * `next_cursor` is the `after` of the next page. A page may be shorter than `limit` where events are large.
 */
export async function readEvents(
  db: D1Database,
  tenant: string,
  task_id: string,
  page: EventPage,
): Promise<Page<TaskEvent>> {
  const orm = drizzle(db);
  const [tasks, runs] = await orm.batch([
    orm
      .select({ seq: taskTable.seq, events: taskTable.events })
      .from(taskTable)
      .where(and(eq(taskTable.tenant, tenant), eq(taskTable.task_id, task_id))),
    runsAfter(db, { tenant, task_id }, page),
  ]);
  const stored = [...tasks, ...runs].map(({ events }) => events);
  const items = eventsIn(stored, page.after).slice(0, page.limit);
  const last = items.at(-1)?.seq ?? null;
  const newest = tasks[0]?.seq ?? 0;
  return { items, next_cursor: last !== null && last < newest ? String(last) : null };
}

/** The whole log of a task that history knows, page by page. */
export async function* readLog(
  db: D1Database,
  tenant: string,
  task_id: string,
): AsyncGenerator<TaskEvent[]> {
  let after: number | null = 0;
  while (after !== null) {
    const page: Page<TaskEvent> = await readEvents(db, tenant, task_id, {
      after,
      limit: ALL_EVENTS_PAGE,
    });
    yield page.items;
    after = page.next_cursor === null ? null : Number(page.next_cursor);
  }
}

/** The end-task report from D1 alone; null before the task has ended. */
export function readReport(
  db: D1Database,
  tenant: string,
  task_id: string,
): Promise<Report | null> {
  return reportFrom(readLog(db, tenant, task_id));
}

/** The end-task report from a whole log alone, with its timeline; null before the task has ended. */
export async function reportFrom(log: AsyncIterable<readonly TaskEvent[]>): Promise<Report | null> {
  const timeline: Report["timeline"] = [];
  let end: TaskEvent | undefined;
  for await (const events of log) {
    timeline.push(...timelineOf(events));
    end = events.findLast((event) => event.type === "agent_end_task") ?? end;
  }
  return end === undefined ? null : reportSchema.parse({ ...end.data, timeline });
}

/**
 * Up to which seq history holds the task's view, and every event from the first on: 0 when it has nothing of it, Infinity
 * when it has held all of it until its retention was over. Null where an earlier task of the same id is in its place.
 *
 * @param task.created_at tells one life of an id from another: it is taken again when it is submitted once more while
 *   nobody can ask D1 (services-tasks.ts)
 */
export async function readRecordedTo(
  db: D1Database,
  { tenant, task_id, created_at }: { tenant: string; task_id: string; created_at: string },
): Promise<number | null> {
  const orm = drizzle(db);
  const { seq: seen, events_to, created_at: created } = taskTable;
  const [tasks, runs, removed] = await orm.batch([
    orm
      .select({ seq: seen, events_to, created_at: created })
      .from(taskTable)
      .where(and(eq(taskTable.tenant, tenant), eq(taskTable.task_id, task_id))),
    orm
      .select({ first_seq: taskLogTable.first_seq, last_seq: taskLogTable.last_seq })
      .from(taskLogTable)
      .where(and(eq(taskLogTable.tenant, tenant), eq(taskLogTable.task_id, task_id)))
      .orderBy(asc(taskLogTable.first_seq)),
    orm
      .select({ ended_at: removedTaskTable.ended_at })
      .from(removedTaskTable)
      .where(and(eq(removedTaskTable.tenant, tenant), eq(removedTaskTable.task_id, task_id))),
  ]);
  // What was removed had ended, so it was another task if this one was created after that.
  if (removed[0] !== undefined) return removed[0].ended_at >= created_at ? Infinity : null;
  const task = tasks[0];
  if (task === undefined) return 0;
  if (task.created_at !== created_at) return null;
  const covered = runs.reduce(
    (to, run) => (run.first_seq <= to + 1 ? Math.max(to, run.last_seq) : to),
    task.events_to,
  );
  return Math.min(task.seq, covered);
}
