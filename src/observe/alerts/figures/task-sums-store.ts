import { DURATIONS, STEPS, TOGETHER } from "../../../db/rollup-table.ts";
import { LENGTHS, rowsOfRange, TASK_TYPES } from "../../rollup/rows.ts";
import { NO_TASKS, type TaskSums } from "./task-figures.ts";

/* Sums of a tenant's tasks from the roll-ups of history, over a window or by the hour. */

/** Which tasks, and when: epoch seconds, the later one excluded. */
export interface SumScope {
  from: number;
  to: number;
  task_type: string | null;
  agent_id: string | null;
}

const NAMES = [
  "created",
  "completed",
  "failed",
  "cancelled",
  "escalated",
  "duration_ms",
  "cost_nano_usd",
  "tokens",
  "quality_sum",
  "quality_count",
  "escalations",
] as const;

// `total` is a float and never overflows; a sum of whole numbers beyond 64 bits would fail the query.
const SUMS = [...NAMES, ...DURATIONS].map((name) => `total(${name}) AS ${name}`).join(", ");

type SumRow = Record<(typeof NAMES)[number] | (typeof DURATIONS)[number], number>;

function sumsOf(row: SumRow | undefined): TaskSums {
  const named = Object.fromEntries(NAMES.map((name) => [name, row?.[name] ?? 0]));
  return {
    ...NO_TASKS,
    ...named,
    durations: DURATIONS.map((name) => row?.[name] ?? 0),
  };
}

/**
 * The sums of the steps that begin within a window.
 *
 * Steps that are kept as hours or days only count with the window in which they begin, so the edge of a window of more
 * than three hours may be off by one of them.
 *
 * @throws when D1 fails
 */
export async function readTaskSums(
  db: D1Database,
  tenant: string,
  { from, to, task_type, agent_id }: SumScope,
): Promise<TaskSums> {
  const row = await db
    .prepare(`SELECT ${SUMS} FROM (${rowsOfRange("*", LENGTHS, agent_id)})`)
    .bind(tenant, from, to, task_type, agent_id)
    .first<SumRow>();
  return sumsOf(row ?? undefined);
}

/**
 * The sums of whole hours of the past, by their start in epoch seconds; hours in which nothing was counted are not among
 * them. Hours of the last three hours are minutes still, and not looked at.
 *
 * @throws when D1 fails
 */
export async function readHours(
  db: D1Database,
  tenant: string,
  hours: readonly number[],
  { task_type, agent_id }: Pick<SumScope, "task_type" | "agent_id">,
): Promise<{ first: number | null; hours: Map<number, TaskSums> }> {
  const hour = agent_id === null ? TOGETHER.hour : STEPS.hour;
  const [sums, first] = await db.batch<SumRow & { bucket: number | null }>([
    db
      .prepare(
        `SELECT bucket, ${SUMS} FROM task_rollup
         WHERE tenant = ?1 AND step = ${hour} AND bucket IN (SELECT value FROM json_each(?2))
           AND task_type IN (${TASK_TYPES}) AND agent_id = ?4 AND (?3 IS NULL OR task_type = ?3)
         GROUP BY bucket`,
      )
      .bind(tenant, JSON.stringify(hours), task_type, agent_id ?? ""),
    db
      .prepare(
        `SELECT min(bucket) AS bucket FROM task_rollup WHERE tenant = ?1 AND step = ${TOGETHER.hour}`,
      )
      .bind(tenant),
  ]);
  const rows = sums?.results ?? [];
  return {
    first: first?.results[0]?.bucket ?? null,
    hours: new Map(rows.map((row) => [row.bucket ?? 0, sumsOf(row)])),
  };
}
