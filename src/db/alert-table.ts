import { sql } from "drizzle-orm";
import { index, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/* Rules, objectives, alerts and silences of tenants. */

/** Rules that tenants have put; `rule` is JSON. */
export const alertRuleTable = sqliteTable(
  "alert_rule",
  {
    tenant: text().notNull(),
    rule_id: text().notNull(),
    rule: text().notNull(),
    updated_at: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.rule_id] })],
);

/** Objectives that tenants have put; `objective` is JSON. */
export const objectiveTable = sqliteTable(
  "objective",
  {
    tenant: text().notNull(),
    slo_id: text().notNull(),
    objective: text().notNull(),
    updated_at: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.slo_id] })],
);

/** How far a rule has come; none of a rule that is well. `watch` is JSON. */
export const alertWatchTable = sqliteTable(
  "alert_watch",
  {
    tenant: text().notNull(),
    rule_id: text().notNull(),
    subject: text().notNull(),
    watch: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.rule_id, table.subject] })],
);

/** Alerts. `evidence` and `told` are JSON; `untold` is fired, resolved or both. */
export const alertTable = sqliteTable(
  "alert",
  {
    tenant: text().notNull(),
    alert_id: text().notNull(),
    rule_id: text().notNull(),
    subject: text().notNull(),
    severity: text().notNull(),
    state: text().notNull(),
    title: text().notNull(),
    detail: text().notNull(),
    evidence: text().notNull(),
    pending_since: text().notNull(),
    fired_at: text().notNull(),
    resolved_at: text(),
    acknowledged_at: text(),
    acknowledged_by: text(),
    note: text(),
    silenced_by: text(),
    told: text().notNull(),
    untold: text(),
  },
  (table) => [
    primaryKey({ columns: [table.tenant, table.alert_id] }),
    index("alert_by_time").on(table.tenant, table.fired_at, table.alert_id),
    // A rule and what it is about have one alert that fires, whoever judges at the same time.
    uniqueIndex("alert_firing")
      .on(table.tenant, table.rule_id, table.subject)
      .where(sql.raw("state = 'firing'")),
    index("alert_untold").on(table.tenant, table.fired_at).where(sql.raw("untold IS NOT NULL")),
    index("alert_by_end").on(table.resolved_at).where(sql.raw("state = 'resolved'")),
  ],
);

/** Silences, also those that are over. */
export const silenceTable = sqliteTable(
  "silence",
  {
    tenant: text().notNull(),
    silence_id: text().notNull(),
    rule_id: text(),
    max_severity: text().notNull(),
    reason: text().notNull(),
    created_at: text().notNull(),
    created_by: text().notNull(),
    ends_at: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenant, table.silence_id] })],
);
