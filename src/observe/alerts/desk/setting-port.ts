import type { AlertRule, AlertRuleRequest, Silence } from "../../../protocol/alerts.ts";
import type { ObjectiveRequest } from "../../../protocol/objectives.ts";
import type { Objective } from "../objectives/default-objectives.ts";

/** Where rules, objectives and silences are kept. Every query goes by the tenant's part of a primary key. */
export interface SettingStore {
  rules(tenant: string): Promise<AlertRule[]>;
  putRule(tenant: string, rule_id: string, rule: AlertRuleRequest, at: string): Promise<void>;
  /** False when there was none, here and below. */
  removeRule(tenant: string, rule_id: string): Promise<boolean>;
  objectives(tenant: string): Promise<Objective[]>;
  putObjective(
    tenant: string,
    slo_id: string,
    objective: ObjectiveRequest,
    at: string,
  ): Promise<void>;
  removeObjective(tenant: string, slo_id: string): Promise<boolean>;
  /** Those that are in force, that ends first first. */
  silences(tenant: string, at: string): Promise<Silence[]>;
  /** Also forgets those that were over before an instant. */
  addSilence(tenant: string, silence: Silence, forgotten: string): Promise<void>;
  removeSilence(tenant: string, silence_id: string): Promise<boolean>;
}
