import { and, asc, eq, gt, lte } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import {
  alertRuleTable as ruleTable,
  objectiveTable,
  silenceTable as silences,
} from "../../../db/alert-table.ts";
import {
  alertRuleRequestSchema,
  alertRuleSchema,
  silenceSchema,
  type AlertRule,
  type Silence,
} from "../../../protocol/alerts.ts";
import { objectiveRequestSchema } from "../../../protocol/objectives.ts";
import type { SettingStore } from "../desk/setting-port.ts";
import type { Objective } from "../objectives/default-objectives.ts";

/* What tenants have set: rules, objectives and silences. A tenant has few of each (desk/). */

type RuleRow = Pick<typeof ruleTable.$inferSelect, "rule_id" | "rule" | "updated_at">;
type ObjectiveRow = Pick<typeof objectiveTable.$inferSelect, "slo_id" | "objective">;
type SilenceRow = typeof silences.$inferSelect;

function ruleOf({ rule_id, rule, updated_at }: RuleRow): AlertRule {
  const request = alertRuleRequestSchema.parse(JSON.parse(rule));
  return alertRuleSchema.parse({ ...request, rule_id, source: "tenant", updated_at });
}

function objectiveOf({ slo_id, objective }: ObjectiveRow): Objective {
  return {
    ...objectiveRequestSchema.parse(JSON.parse(objective)),
    slo_id,
    source: "tenant",
  };
}

function silenceOf({ tenant: _tenant, ...row }: SilenceRow): Silence {
  return silenceSchema.parse(row);
}

/** What a tenant has set, as rows: statements that go with others in one reading, and what their rows mean. */
export function settingQueries(d1: D1Database, tenant: string, at: string) {
  const db = drizzle(d1);
  return {
    rules: db.select().from(ruleTable).where(eq(ruleTable.tenant, tenant)),
    objectives: db.select().from(objectiveTable).where(eq(objectiveTable.tenant, tenant)),
    silences: db
      .select()
      .from(silences)
      .where(and(eq(silences.tenant, tenant), gt(silences.ends_at, at)))
      .orderBy(asc(silences.ends_at)),
    ruleOf,
    objectiveOf,
    silenceOf,
  };
}

function silenceStore(
  d1: D1Database,
): Pick<SettingStore, "silences" | "addSilence" | "removeSilence"> {
  const db = drizzle(d1);
  return {
    silences: async (tenant, at) => (await settingQueries(d1, tenant, at).silences).map(silenceOf),
    async addSilence(tenant, silence, forgotten) {
      await db.batch([
        db.insert(silences).values({ tenant, ...silence }),
        db
          .delete(silences)
          .where(and(eq(silences.tenant, tenant), lte(silences.ends_at, forgotten))),
      ]);
    },
    async removeSilence(tenant, silence_id) {
      const gone = await db
        .delete(silences)
        .where(and(eq(silences.tenant, tenant), eq(silences.silence_id, silence_id)))
        .returning({ silence_id: silences.silence_id });
      return gone.length > 0;
    },
  };
}

/** What tenants have set, in D1. */
export function createSettingStore(d1: D1Database): SettingStore {
  const db = drizzle(d1);
  return {
    ...silenceStore(d1),
    rules: async (tenant) => (await settingQueries(d1, tenant, "").rules).map(ruleOf),
    async putRule(tenant, rule_id, request, updated_at) {
      const row = { rule: JSON.stringify(request), updated_at };
      await db
        .insert(ruleTable)
        .values({ tenant, rule_id, ...row })
        .onConflictDoUpdate({ target: [ruleTable.tenant, ruleTable.rule_id], set: row });
    },
    async removeRule(tenant, rule_id) {
      const gone = await db
        .delete(ruleTable)
        .where(and(eq(ruleTable.tenant, tenant), eq(ruleTable.rule_id, rule_id)))
        .returning({ rule_id: ruleTable.rule_id });
      return gone.length > 0;
    },
    objectives: async (tenant) =>
      (await settingQueries(d1, tenant, "").objectives).map(objectiveOf),
    async putObjective(tenant, slo_id, request, updated_at) {
      const row = { objective: JSON.stringify(request), updated_at };
      await db
        .insert(objectiveTable)
        .values({ tenant, slo_id, ...row })
        .onConflictDoUpdate({ target: [objectiveTable.tenant, objectiveTable.slo_id], set: row });
    },
    async removeObjective(tenant, slo_id) {
      const gone = await db
        .delete(objectiveTable)
        .where(and(eq(objectiveTable.tenant, tenant), eq(objectiveTable.slo_id, slo_id)))
        .returning({ slo_id: objectiveTable.slo_id });
      return gone.length > 0;
    },
  };
}
