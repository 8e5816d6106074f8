import { and, desc, eq, gte, lt, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { escalationTable, taskTable } from "../db/tables.ts";
import { runSchema, type Question, type Run } from "./run.ts";

/* What figures are made from: the newest tasks and questions of a time, by the indexes on their creation. */

/**
 * Tasks that one figure looks at, at most: the newest of its window.
 *
 * Their facts are about 1 MB then, of the 128 MB of a Worker, and D1 reads as many rows.
 */
export const MAX_RUNS = 5_000;

/** A span of creation, as instants in the stored form: from `since` on, before `until`. */
export interface Span {
  since: string;
  until: string;
}

const factsSchema = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(
    z.tuple([
      z.string().nullable(),
      z.string().nullable(),
      z.number(),
      z.number().nullable(),
      z.number(),
      z.number(),
      z.number(),
      z.string().nullable(),
      z.string().nullable(),
    ]),
  );

/** Members of the view in the order of `factsSchema`: one call parses the view once. */
const FACTS = sql<string>`json_extract(${taskTable.view}, '$.started_at', '$.end_reason', '$.attempt',
  '$.quality_assessment.overall_score', '$.usage.cost_usd', '$.usage.tokens', '$.usage.duration_s',
  '$.error.type', '$.error.root_cause.class')`;

interface Row {
  task_id: string;
  task_type: string;
  agent_id: string | null;
  created_at: string;
  facts: string;
  causes: string | null;
}

function runOf({ facts, causes, ...columns }: Row): Run {
  const [started_at, end_reason, attempt, quality, cost_usd, tokens, duration_s, type, cause] =
    factsSchema.parse(facts);
  return runSchema.parse({
    ...columns,
    started_at,
    end_reason,
    attempt,
    quality,
    cost_usd,
    tokens,
    duration_s,
    cause: cause ?? type,
    troubles: causes === null ? [] : JSON.parse(causes),
  });
}

/**
 * The newest tasks of a tenant that were created in a span, `limit` at most, newest first.
 *
 * `isComplete` is false when there were more.
 */
export async function readRuns(
  db: D1Database,
  tenant: string,
  span: Span,
  limit: number = MAX_RUNS,
): Promise<{ runs: Run[]; isComplete: boolean }> {
  const rows = await drizzle(db)
    .select({
      task_id: taskTable.task_id,
      task_type: taskTable.task_type,
      agent_id: taskTable.agent_id,
      created_at: taskTable.created_at,
      facts: FACTS,
      causes: taskTable.causes,
    })
    .from(taskTable)
    .where(
      and(
        eq(taskTable.tenant, tenant),
        gte(taskTable.created_at, span.since),
        lt(taskTable.created_at, span.until),
      ),
    )
    .orderBy(desc(taskTable.created_at), desc(taskTable.task_id))
    .limit(limit + 1);
  return { runs: rows.slice(0, limit).map(runOf), isComplete: rows.length <= limit };
}

const QUESTION = {
  task_id: sql<string>`${escalationTable.body} ->> '$.task_id'`,
  state: escalationTable.state,
  created_at: escalationTable.created_at,
  deadline: sql<string | null>`${escalationTable.body} ->> '$.deadline'`,
};

/** The newest questions that tasks of a tenant asked in a span, `MAX_RUNS` at most. */
export function readQuestions(db: D1Database, tenant: string, span: Span): Promise<Question[]> {
  const { created_at } = escalationTable;
  return drizzle(db)
    .select(QUESTION)
    .from(escalationTable)
    .where(
      and(
        eq(escalationTable.tenant, tenant),
        gte(created_at, span.since),
        lt(created_at, span.until),
      ),
    )
    .orderBy(desc(created_at), desc(escalationTable.escalation_id))
    .limit(MAX_RUNS);
}

/** The questions of a tenant that wait for an answer, oldest first, `limit` at most. */
export function readOpenQuestions(
  db: D1Database,
  tenant: string,
  limit: number,
): Promise<Question[]> {
  return drizzle(db)
    .select(QUESTION)
    .from(escalationTable)
    .where(and(eq(escalationTable.tenant, tenant), eq(escalationTable.state, "open")))
    .orderBy(escalationTable.created_at, escalationTable.escalation_id)
    .limit(limit);
}
