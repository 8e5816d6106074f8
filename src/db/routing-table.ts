import { index, integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** Rewards of a model in a (task type, band), which forget by `seen`; task type `*` pools all types. */
export const routingCellTable = sqliteTable(
  "routing_cell",
  {
    tenant: text().notNull(),
    task_type: text().notNull(),
    band: text().notNull(),
    model_id: text().notNull(),
    weight: real().notNull(),
    total: real().notNull(),
    updates: integer().notNull(),
    seen: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.task_type, table.band, table.model_id] })],
);

/** How a model does a task type: plain sums over all time. */
export const modelStatisticTable = sqliteTable(
  "model_statistic",
  {
    tenant: text().notNull(),
    task_type: text().notNull(),
    model_id: text().notNull(),
    runs: integer().notNull(),
    judged: integer().notNull(),
    successes: integer().notNull(),
    faults: integer().notNull(),
    qualities: integer().notNull(),
    quality_sum: real().notNull(),
    latency_sum_s: real().notNull(),
    cost_usd: real().notNull(),
    tokens: integer().notNull(),
    /** JSON: [latency_s, cost_usd] of the last runs that were no faults, oldest first. */
    recent: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.task_type, table.model_id] })],
);

/** A choice, all that it was made from, and how it went. */
export const routingDecisionTable = sqliteTable(
  "routing_decision",
  {
    tenant: text().notNull(),
    decision_id: text().notNull(),
    task_id: text().notNull(),
    task_type: text().notNull(),
    band: text().notNull(),
    model_id: text(),
    created_at: text().notNull(),
    /** Canonical JSON. */
    record: text().notNull(),
    is_probe: integer({ mode: "boolean" }).notNull(),
    is_counted: integer({ mode: "boolean" }).notNull().default(false),
    rank: integer().notNull().default(-1),
    source: text(),
    reward: real(),
    is_success: integer({ mode: "boolean" }),
    cell_tick: integer(),
    parent_tick: integer(),
    settled_at: text(),
    /** JSON. */
    verdict: text(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.decision_id] }),
    index("routing_decision_by_task").on(
      table.tenant,
      table.task_id,
      table.created_at,
      table.decision_id,
    ),
    index("routing_decision_by_creation").on(table.created_at),
  ],
);

/** Models that failed to answer, as lib/circuit-breaker remembers it. Instants are epoch milliseconds. */
export const routingBreakerTable = sqliteTable(
  "routing_breaker",
  {
    tenant: text().notNull(),
    model_id: text().notNull(),
    failures: integer().notNull(),
    pause_ms: integer(),
    probe_at: integer().notNull(),
    failed_at: integer().notNull(),
    version: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.model_id] })],
);
