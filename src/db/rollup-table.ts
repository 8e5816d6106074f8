import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/* Figures of tasks by minute, hour and day, and in total: what history adds up, exactly. */

/** Upper bounds of a task's duration, seconds, without the last one, which is infinite: from a call to a day's work. */
export const DURATION_BOUNDS_S = [
  1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400,
] as const;

/** Columns of how many tasks took so long: one for each bound, and the last for those that took longer. */
export const DURATIONS = [
  "duration_0",
  "duration_1",
  "duration_2",
  "duration_3",
  "duration_4",
  "duration_5",
  "duration_6",
  "duration_7",
  "duration_8",
  "duration_9",
  "duration_10",
  "duration_11",
  "duration_12",
  "duration_13",
] as const;

/** Columns of tasks that ended, by the status that they ended with. */
export const ENDS = ["completed", "failed", "cancelled", "escalated"] as const;

/** Columns of notifications that tasks have taken, by type. */
export const NOTIFICATIONS = [
  "task_started",
  "task_progress",
  "task_completed",
  "task_failed",
  "task_escalated",
  "agent_end_task",
] as const;

/**
 * Everything that is added up. Whole numbers, so that any order of adding gives the same: durations in milliseconds, money
 * in billionths of a dollar, scores in millionths.
 */
export const AMOUNTS = [
  "created",
  ...ENDS,
  "duration_ms",
  ...DURATIONS,
  "cost_nano_usd",
  "tokens",
  "quality_sum",
  "quality_count",
  "rating_sum",
  "rating_count",
  "retries",
  "escalations",
  ...NOTIFICATIONS,
] as const;

/** The name of what is added up. */
export type Amount = (typeof AMOUNTS)[number];

/** The step of the rows that hold what was folded away, all of it since the tenant's first task. */
export const TOTAL_STEP = 0;

/** Lengths of the steps that are kept, seconds. */
export const STEPS = { minute: 60, hour: 3_600, day: 86_400 } as const;

/**
 * The steps of rows that hold an hour or a day of all executors together: the negative of its length, so that they lie by
 * themselves in the key. Folding makes them; who asks for no executor reads these, one row for each type, however many
 * executors there are. Minutes have none: a task that ends would cost a row more.
 */
export const TOGETHER = { hour: -STEPS.hour, day: -STEPS.day } as const;

const amountColumns = Object.fromEntries(
  AMOUNTS.map((name) => [name, integer().notNull().default(0)]),
);

/** The figures of a tenant's tasks, one row for each step of time, task type and executor. */
export const taskRollupTable = sqliteTable(
  "task_rollup",
  {
    tenant: text().notNull(),
    /** Seconds: 60, 3600 or 86400; -3600 or -86400 for all executors together; 0 for the total of what was folded. */
    step: integer().notNull(),
    /** Start in epoch seconds; 0 of a total. */
    bucket: integer().notNull(),
    task_type: text().notNull(),
    /** Empty where there is none: a task that is created or asks has nobody, and what is of all together. */
    agent_id: text().notNull(),
    ...amountColumns,
  },
  (table) => [
    primaryKey({
      columns: [table.tenant, table.step, table.bucket, table.task_type, table.agent_id],
    }),
  ],
);

/** How people judge results; one for each task. */
export const taskRatingTable = sqliteTable(
  "task_rating",
  {
    tenant: text().notNull(),
    task_id: text().notNull(),
    score: real().notNull(),
    /** As it is counted in the roll-up: millionths. */
    counted: integer().notNull(),
    comment: text(),
    rated_by: text().notNull(),
    rated_at: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.task_id] })],
);
