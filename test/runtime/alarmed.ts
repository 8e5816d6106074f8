import { env } from "cloudflare:workers";

import { randomId } from "../../src/lib/ports.ts";
import { aboutOf } from "../../src/observe/alerts/standing.ts";
import { writeChanges } from "../../src/observe/alerts/store/judge-store.ts";
import { createSettingStore } from "../../src/observe/alerts/store/setting-store.ts";
import { alertRuleRequestSchema } from "../../src/protocol/alerts.ts";
import { objectiveRequestSchema } from "../../src/protocol/objectives.ts";

/** A rule, an objective and a silence of a tenant, and an alert of the rule that fires; their ids. */
export async function alarmed(tenant: string) {
  const store = createSettingStore(env.DB);
  const at = new Date().toISOString();
  const name = randomId().toLowerCase();
  const rule = alertRuleRequestSchema.parse({
    title: "Nobody makes so many tasks",
    metric: "tasks_created",
    comparison: "above",
    threshold: 1e9,
  });
  const objective = objectiveRequestSchema.parse({
    title: "Half of it",
    indicator: "task_success",
    target: 0.5,
  });
  const ids = {
    rule_id: `r-${name}`,
    slo_id: `s-${name}`,
    silence_id: `si_${name}`,
    alert_id: `al_${name}`,
  };
  await store.putRule(tenant, ids.rule_id, rule, at);
  await store.putObjective(tenant, ids.slo_id, objective, at);
  await store.addSilence(
    tenant,
    {
      silence_id: ids.silence_id,
      rule_id: ids.rule_id,
      max_severity: "info",
      reason: "nobody is there",
      created_at: at,
      created_by: "key_none",
      ends_at: "2099-01-01T00:00:00.000Z",
    },
    "2000-01-01T00:00:00.000Z",
  );
  const alert = {
    alert_id: ids.alert_id,
    rule_id: ids.rule_id,
    severity: "info" as const,
    state: "firing" as const,
    title: rule.title,
    detail: "there are",
    evidence: {},
    subject: "all",
    pending_since: at,
    fired_at: at,
    resolved_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    note: null,
    silenced_by: ids.silence_id,
    told: [],
  };
  const about = aboutOf({ ...rule, rule_id: ids.rule_id, source: "tenant", updated_at: at });
  const since = Date.parse(at);
  const watch = { phase: "firing", since, well_since: null, unknown_since: null } as const;
  const of = { rule_id: ids.rule_id, subject: alert.subject };
  const move = { ...of, from: null, to: { about, watch }, resolved_at: null, fired: alert };
  await writeChanges(env.DB, tenant, { moves: [move], unsilenced: [], held: [] });
  return ids;
}
