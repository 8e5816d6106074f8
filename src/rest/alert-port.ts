import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type {
  AlertRule,
  AlertRuleRequest,
  AlertsQuery,
  AlertView,
  Silence,
  SilenceRequest,
} from "../protocol/alerts.ts";
import type { ObjectiveRequest, ObjectiveStatus } from "../protocol/objectives.ts";
import type { Refusal } from "../protocol/refusal.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Alerts and what they come from. Reads fail as a passing error while D1 is down. */
export interface AlertPort {
  /** Those in force by id, default ones among them; a tenant has a hundred or so at most. */
  rules(tenant: string): Promise<AlertRule[]>;
  rule(tenant: string, rule_id: string): Answer<AlertRule>;
  putRule(tenant: string, rule_id: string, request: AlertRuleRequest): Answer<AlertRule>;
  removeRule(tenant: string, rule_id: string): Answer<null>;
  list(
    tenant: string,
    query: AlertsQuery,
  ): Answer<{ items: AlertView[]; next_cursor: string | null }>;
  get(tenant: string, alert_id: string): Answer<AlertView>;
  acknowledge(by: Principal, alert_id: string, note: string | null): Answer<AlertView>;
  /** Those in force, which ends first first. */
  silences(tenant: string): Promise<Silence[]>;
  silence(by: Principal, request: SilenceRequest): Answer<Silence>;
  endSilence(tenant: string, silence_id: string): Answer<null>;
}

/** Objectives and their error budgets. */
export interface ObjectivePort {
  /** Those in force by id. */
  list(tenant: string): Promise<ObjectiveStatus[]>;
  put(tenant: string, slo_id: string, request: ObjectiveRequest): Answer<ObjectiveStatus>;
  remove(tenant: string, slo_id: string): Answer<null>;
}
