import { and, desc, eq, sql, type SQL } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import { isBefore } from "../db/keyset.ts";
import { lessonTable } from "../db/tables.ts";
import { ok, type Result } from "../lib/result.ts";
import { pageOf, placeOf, type Page } from "../protocol/keyset.ts";
import { lessonSchema, type Lesson, type LessonsQuery } from "../protocol/lesson.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { wordsOf } from "./lessons.ts";

/** The newest lessons that a search looks at: each is read, so a search has a bound whatever has been learned. */
const MAX_SEARCHED = 2_000;

/** Words of a search that count; D1 binds 100 parameters. */
const MAX_WORDS = 10;

const COLUMNS = {
  lesson_id: lessonTable.lesson_id,
  text: lessonTable.text,
  task_id: lessonTable.task_id,
  task_type: lessonTable.task_type,
  agent_id: lessonTable.agent_id,
  created_at: lessonTable.created_at,
};

/** How many of the words a lesson holds, as whole words or as beginnings. */
function matchesOf(words: readonly string[]): SQL<number> {
  const found = words.map((word) => sql`(instr(${lessonTable.words}, ${` ${word}`}) > 0)`);
  return sql<number>`(${sql.join([sql`0`, ...found], sql` + `)})`;
}

/** The newest lessons, page by page. */
async function browse(
  db: D1Database,
  tenant: string,
  query: LessonsQuery,
): Promise<Result<Page<Lesson>, Refusal>> {
  const from = placeOf(query.cursor);
  if (!from.ok) return from;
  const { created_at, lesson_id, task_type } = lessonTable;
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(lessonTable)
    .where(
      and(
        eq(lessonTable.tenant, tenant),
        isBefore({ at: created_at, id: lesson_id }, from.value),
        query.task_type === undefined ? undefined : eq(task_type, query.task_type),
      ),
    )
    .orderBy(desc(created_at), desc(lesson_id))
    .limit(query.limit + 1);
  return ok(
    pageOf(rows, query.limit, {
      place: (row) => ({ at: row.created_at, id: row.lesson_id }),
      item: (row) => lessonSchema.parse({ ...row, matches: 0 }),
    }),
  );
}

/**
 * Lessons of a tenant: with a search those that hold its words, most words first, the newest first among equals;
 * without one all, newest first, in pages. A search looks at the newest 2,000 lessons.
 *
 * Refuses a cursor that is not one.
 */
export async function listLessons(
  db: D1Database,
  tenant: string,
  query: LessonsQuery,
): Promise<Result<Page<Lesson>, Refusal>> {
  if (query.q === undefined) return browse(db, tenant, query);
  const words = [...new Set(wordsOf(query.q))].slice(0, MAX_WORDS);
  const scan = drizzle(db)
    .select({ ...COLUMNS, matches: matchesOf(words).as("matches") })
    .from(lessonTable)
    .where(eq(lessonTable.tenant, tenant))
    .orderBy(desc(lessonTable.created_at), desc(lessonTable.lesson_id))
    .limit(MAX_SEARCHED)
    .as("scan");
  const rows = await drizzle(db)
    .select()
    .from(scan)
    .where(
      and(
        sql`${scan.matches} > 0`,
        query.task_type === undefined ? undefined : eq(scan.task_type, query.task_type),
      ),
    )
    .orderBy(desc(scan.matches), desc(scan.created_at), desc(scan.lesson_id))
    .limit(query.limit);
  return ok({ items: rows.map((row) => lessonSchema.parse(row)), next_cursor: null });
}
