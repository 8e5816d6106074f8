import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

/* The tables of D1 as migrations/ creates them. D1 is a registry and a read model: it is never a lock. */

/** API keys by the SHA-256 of the key. `former_hash`: of the secret before the last rotation, good until `former_until`. */
export const apiKeyTable = sqliteTable(
  "api_key",
  {
    key_hash: text().primaryKey(),
    key_id: text().notNull(),
    tenant: text().notNull(),
    name: text().notNull(),
    scopes: text().notNull(),
    created_at: text().notNull(),
    expires_at: text(),
    former_hash: text(),
    former_until: text(),
    rotated_at: text(),
    last_used_at: text(),
  },
  (table) => [
    uniqueIndex("api_key_by_tenant").on(table.tenant, table.key_id),
    uniqueIndex("api_key_by_former").on(table.former_hash),
  ],
);

/** Executors as registered; `registration` is JSON, `key_id` the key they are bound to, if any. */
export const agentTable = sqliteTable(
  "agent",
  {
    tenant: text().notNull(),
    agent_id: text().notNull(),
    registration: text().notNull(),
    secret: text().notNull(),
    key_id: text(),
    created_at: text().notNull(),
    updated_at: text().notNull(),
    /** 1 while it finishes what it has and gets no more. */
    is_draining: integer().notNull().default(0),
    /** What a rotation replaced, and until when it counts. */
    former_secret: text(),
    former_until: text(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.agent_id] })],
);

/** Webhook endpoints; `registration` and `secrets` are JSON, `version` grows with each change. */
export const webhookTable = sqliteTable(
  "webhook",
  {
    tenant: text().notNull(),
    webhook_id: text().notNull(),
    registration: text().notNull(),
    secrets: text().notNull(),
    state: text().notNull(),
    version: integer().notNull(),
    created_at: text().notNull(),
    deleted_at: text(),
    /** The breaker's level as the endpoint's object last told it. */
    level: integer().notNull().default(0),
    /** 0 while the receiver has not met the challenge of its registration. */
    is_verified: integer().notNull().default(1),
    /** JSON: what was wanted before, and until when. */
    routing: text().notNull().default("[]"),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.webhook_id] })],
);

/**
 * What an endpoint wants: one row for each notification type and each value of its most selective filter.
 *
 * `facet` is `*`, or what the notification must show, e.g. `agent:x` (delivery/registry/facets.ts).
 */
export const webhookSubscriptionTable = sqliteTable(
  "webhook_subscription",
  {
    tenant: text().notNull(),
    type: text().notNull(),
    facet: text().notNull(),
    webhook_id: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.type, table.facet, table.webhook_id] })],
);

/** When an endpoint's object wants to be woken to remove what is too old; epoch milliseconds. */
export const endpointSweepTable = sqliteTable(
  "endpoint_sweep",
  {
    /** Name of the object. */
    name: text().primaryKey(),
    due: integer().notNull(),
  },
  (table) => [index("endpoint_sweep_by_due").on(table.due)],
);

/** The secrets that sign a tenant's callbacks, as JSON. */
export const callbackSecretTable = sqliteTable("callback_secret", {
  tenant: text().primaryKey(),
  secrets: text().notNull(),
});

/**
 * The newest known view of each task, and the start of its log.
 *
 * `tags`, `view`, `bulk`, `causes` and `events` are JSON. `bulk` holds what is too large for lists (history/bulk.ts);
 * `events` the events 1 to `events_to`, which is all of a common task, so that news of it cost one row.
 */
export const taskTable = sqliteTable(
  "task",
  {
    tenant: text().notNull(),
    task_id: text().notNull(),
    created_at: text().notNull(),
    seq: integer().notNull(),
    status: text().notNull(),
    phase: text().notNull(),
    task_type: text().notNull(),
    priority: text().notNull(),
    agent_id: text(),
    tags: text().notNull(),
    events_to: integer().notNull(),
    view: text().notNull(),
    bulk: text(),
    events: text().notNull(),
    /** Of the request: equal hashes are repetitions. */
    body_hash: text(),
    /** What went wrong, by class; null where nothing did, and before the end. */
    causes: text(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.task_id] }),
    index("task_by_creation").on(table.tenant, table.created_at, table.task_id),
    index("task_by_status")
      .on(table.tenant, table.status, table.created_at, table.task_id)
      .where(sql`status <> 'completed'`),
  ],
);

/**
 * Runs of consecutive events that `task.events` does not hold: it was full, or they came out of order.
 *
 * Runs of one task may overlap, but none lies inside another.
 */
export const taskLogTable = sqliteTable(
  "task_log",
  {
    tenant: text().notNull(),
    task_id: text().notNull(),
    first_seq: integer().notNull(),
    last_seq: integer().notNull(),
    events: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.task_id, table.first_seq] })],
);

/**
 * Tasks that were removed when their retention was over: that they were, and where the archive has them, if it has.
 *
 * `outcome` is JSON, what those that depend on the task may still ask; `archive_offset` and `archive_length` are bytes.
 */
export const removedTaskTable = sqliteTable(
  "removed_task",
  {
    tenant: text().notNull(),
    task_id: text().notNull(),
    ended_at: text().notNull(),
    removed_at: text().notNull(),
    agent_id: text(),
    body_hash: text(),
    outcome: text().notNull(),
    archive_key: text(),
    archive_offset: integer(),
    archive_length: integer(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.task_id] })],
);

/** Escalations as last seen, at `seq` of their task; `body` is JSON. */
export const escalationTable = sqliteTable(
  "escalation",
  {
    tenant: text().notNull(),
    escalation_id: text().notNull(),
    created_at: text().notNull(),
    seq: integer().notNull(),
    state: text().notNull(),
    body: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.escalation_id] }),
    index("escalation_by_creation").on(table.tenant, table.created_at, table.escalation_id),
    index("escalation_by_state").on(
      table.tenant,
      table.state,
      table.created_at,
      table.escalation_id,
    ),
  ],
);

/**
 * What the ends of tasks left undone, each with its owner; `settled_by` is JSON.
 *
 * `due_at` is when the sweeper tries again. Closed debts are many in time and open ones few: hence the partial indexes.
 */
export const cleanupDebtTable = sqliteTable(
  "cleanup_debt",
  {
    tenant: text().notNull(),
    debt_id: text().notNull(),
    task_id: text().notNull(),
    kind: text().notNull(),
    stage: text(),
    what: text().notNull(),
    owner: text().notNull(),
    state: text().notNull(),
    created_at: text().notNull(),
    expires_at: text(),
    due_at: text().notNull(),
    tries: integer().notNull().default(0),
    last_tried_at: text(),
    last_detail: text(),
    settled_at: text(),
    settled_by: text(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.debt_id] }),
    index("cleanup_debt_by_creation").on(table.tenant, table.created_at, table.debt_id),
    index("cleanup_debt_open")
      .on(table.tenant, table.created_at, table.debt_id)
      .where(sql`state = 'open'`),
    index("cleanup_debt_by_due")
      .on(table.due_at)
      .where(sql`state = 'open'`),
  ],
);

/** Queue messages that could not be worked off. */
export const deadLetterTable = sqliteTable(
  "dead_letter",
  {
    id: text().primaryKey(),
    received_at: text().notNull(),
    queue: text().notNull(),
    reason: text().notNull(),
    body: text().notNull(),
  },
  (table) => [index("dead_letter_by_arrival").on(table.received_at, table.id)],
);

/**
 * What executors learned, as they said it with their result.
 *
 * `words` is the text for searching: its words in one plain form, each between spaces (history/lessons.ts).
 */
export const lessonTable = sqliteTable(
  "lesson",
  {
    tenant: text().notNull(),
    created_at: text().notNull(),
    lesson_id: text().notNull(),
    task_id: text().notNull(),
    task_type: text().notNull(),
    agent_id: text(),
    text: text().notNull(),
    words: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.created_at, table.lesson_id] })],
);

/** Where a sweep that could not look at everything goes on; `cursor` is JSON. */
export const sweepCursorTable = sqliteTable("sweep_cursor", {
  name: text().primaryKey(),
  cursor: text().notNull(),
});
