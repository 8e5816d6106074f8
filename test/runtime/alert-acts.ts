import { randomId } from "../../src/lib/ports.ts";
import { alarmed } from "./alarmed.ts";
import { OBJECTIVE, RULE } from "./walk-steps.ts";

const newName = (): string => `audited-${randomId().toLowerCase()}`;

/**
 * What is done to alerts, rules, silences and objectives, for the audit of each route.
 *
 * @param canary stands wherever no entry may repeat something
 */
export const alertActs = (canary: string) => ({
  put_alert_rule: async () => {
    const rule_id = newName();
    return {
      method: "PUT",
      path: `/v1/alert-rules/${rule_id}`,
      body: { ...RULE, title: canary },
      subject: rule_id,
      detail: { metric: "tasks_created", threshold: 1e9, severity: "warning", is_enabled: true },
    };
  },
  delete_alert_rule: async () => {
    const { rule_id } = await alarmed("default");
    return { method: "DELETE", path: `/v1/alert-rules/${rule_id}`, subject: rule_id };
  },
  acknowledge_alert: async () => {
    const { alert_id } = await alarmed("default");
    return {
      method: "POST",
      path: `/v1/alerts/${alert_id}/acknowledge`,
      body: { note: canary },
      subject: alert_id,
      detail: { has_note: true },
    };
  },
  create_silence: async () => ({
    method: "POST",
    path: "/v1/silences",
    body: { duration_s: 60, max_severity: "warning", reason: canary },
    subject: ({ silence_id }: Record<string, unknown>) => silence_id,
    detail: { rule_id: null, max_severity: "warning", duration_s: 60 },
  }),
  delete_silence: async () => {
    const { silence_id } = await alarmed("default");
    return { method: "DELETE", path: `/v1/silences/${silence_id}`, subject: silence_id };
  },
  put_objective: async () => {
    const slo_id = newName();
    return {
      method: "PUT",
      path: `/v1/objectives/${slo_id}`,
      body: { ...OBJECTIVE, title: canary },
      subject: slo_id,
      detail: { indicator: "task_success", target: 0.5, window_days: 28, limit_s: null },
    };
  },
  delete_objective: async () => {
    const { slo_id } = await alarmed("default");
    return { method: "DELETE", path: `/v1/objectives/${slo_id}`, subject: slo_id };
  },
});
