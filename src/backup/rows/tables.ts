/* What of D1 a backup holds. A migration that adds a table has to say here what becomes of it (test/runtime/backup.test.ts). */

/** A table of a backup. */
export interface BackedTable {
  name: string;
  /** Columns with a sealed secret. */
  secrets?: readonly string[];
  /** Columns with JSON that holds such, each as `secret`. */
  secretTexts?: readonly string[];
}

/**
 * Tables in the order in which they are written.
 *
 * A backup is not of one instant. What refers to another row comes after it, and what a row is moved to after what it is
 * moved from (`task`, `removed_task`), so that what moves meanwhile is there twice rather than not at all.
 */
export const BACKED_TABLES: readonly BackedTable[] = [
  { name: "tenant_shard" },
  { name: "api_key" },
  { name: "agent", secrets: ["secret", "former_secret"] },
  { name: "webhook", secretTexts: ["secrets"] },
  { name: "webhook_subscription" },
  { name: "callback_secret", secretTexts: ["secrets"] },
  { name: "endpoint_sweep" },
  { name: "model", secrets: ["api_key"] },
  { name: "routing_cell" },
  { name: "model_statistic" },
  { name: "routing_decision" },
  { name: "routing_breaker" },
  { name: "alert_rule" },
  { name: "objective" },
  { name: "alert_watch" },
  { name: "alert" },
  { name: "silence" },
  { name: "alert_channel" },
  { name: "task" },
  { name: "task_log" },
  { name: "removed_task" },
  { name: "escalation" },
  { name: "lesson" },
  { name: "cleanup_debt" },
  { name: "task_rating" },
  { name: "task_rollup" },
  { name: "meter_minute" },
  { name: "validation_record" },
  { name: "dead_letter" },
  { name: "audit" },
];

/** Tables that no backup holds, and why nothing is lost with them. */
export const DERIVED_TABLES: Readonly<Record<string, string>> = {
  sweep_cursor: "where sweeps go on and what the last ones did: they begin anew",
};

/** Tables of the platform and of wrangler in every database. */
const NOT_OURS = /^(sqlite_|_cf_|d1_migrations$)/;

/** Those of a database's tables that are neither in a backup nor derived: nobody has decided about them. */
export function undecided(names: readonly string[]): string[] {
  const backed = new Set(BACKED_TABLES.map(({ name }) => name));
  return names.filter(
    (name) => !NOT_OURS.test(name) && !backed.has(name) && !Object.hasOwn(DERIVED_TABLES, name),
  );
}
