import type { AlertRule } from "../../../protocol/alerts.ts";
import { SCHEMA_VERSION } from "../../../protocol/primitives.ts";

/* The rules that come with Batuta. A PUT under the id of one replaces it, also to switch it off. */

type Given = Pick<
  AlertRule,
  "rule_id" | "title" | "metric" | "comparison" | "threshold" | "severity"
> &
  Partial<AlertRule>;

/** Fewer than so many observations say little about a share; the contract's own default. */
const LEAST_SAMPLES = 10;

function rule(given: Given): AlertRule {
  return {
    schema_version: SCHEMA_VERSION,
    window_s: 900,
    for_s: 120,
    resolve_after_s: 300,
    min_samples: LEAST_SAMPLES,
    is_enabled: true,
    source: "default",
    updated_at: null,
    ...given,
  };
}

/**
 * What is wrong whoever the tenant is: on. What depends on what a tenant does, or costs a question to each of its
 * endpoints (deliveries-late): there to be switched on.
 */
const BASE: readonly AlertRule[] = [
  rule({
    rule_id: "tasks-failing",
    title: "Many tasks fail",
    metric: "task_failure_rate",
    comparison: "above",
    threshold: 0.3,
    clear_threshold: 0.2,
    severity: "error",
  }),
  rule({
    rule_id: "deliveries-failing",
    title: "Many webhook deliveries fail",
    metric: "delivery_failure_rate",
    comparison: "above",
    threshold: 0.25,
    clear_threshold: 0.1,
    for_s: 300,
    min_samples: 20,
    severity: "warning",
  }),
  rule({
    rule_id: "requests-failing",
    title: "Many requests are answered with 5xx",
    metric: "http_error_rate",
    comparison: "above",
    threshold: 0.05,
    clear_threshold: 0.02,
    min_samples: 50,
    severity: "error",
  }),
  // Six deviations: of clean series fewer than one of 500 hours passes them (alert-anomaly.test.ts).
  rule({
    rule_id: "tasks-unusually-slow",
    title: "Tasks take unusually long or short",
    metric: "task_duration_mean_s",
    comparison: "anomaly",
    threshold: 6,
    clear_threshold: 3,
    window_s: 3_600,
    for_s: 600,
    resolve_after_s: 900,
    severity: "warning",
  }),
  rule({
    rule_id: "cost-unusual",
    title: "Tasks cost unusually much or little",
    metric: "cost_usd",
    comparison: "anomaly",
    threshold: 6,
    clear_threshold: 3,
    window_s: 3_600,
    for_s: 600,
    resolve_after_s: 900,
    severity: "warning",
  }),
  rule({
    rule_id: "volume-unusual",
    title: "Unusually many or few tasks",
    metric: "tasks_created",
    comparison: "anomaly",
    threshold: 6,
    clear_threshold: 3,
    window_s: 3_600,
    for_s: 600,
    resolve_after_s: 900,
    severity: "info",
    is_enabled: false,
  }),
  rule({
    rule_id: "questions-waiting",
    title: "Many questions wait for an answer",
    metric: "escalations_open",
    comparison: "above",
    threshold: 50,
    clear_threshold: 25,
    for_s: 900,
    severity: "warning",
    is_enabled: false,
  }),
  rule({
    rule_id: "deliveries-late",
    title: "Webhook deliveries wait for long",
    metric: "delivery_oldest_age_s",
    comparison: "above",
    threshold: 3_600,
    clear_threshold: 600,
    for_s: 300,
    severity: "warning",
    is_enabled: false,
  }),
];

/**
 * How fast a budget may burn: 14.4 spends a fiftieth of a budget of 30 days within an hour, 6 a twentieth within six
 * (Google, The Site Reliability Workbook, "Alerting on SLOs", multiwindow, multi-burn-rate alerts).
 */
const BURNS = [
  { name: "fast", window_s: 3_600, threshold: 14.4, severity: "critical" },
  { name: "slow", window_s: 21_600, threshold: 6, severity: "error" },
] as const;

/** The burn-rate rules of an objective. They hold at once: that two windows have to be bad is their patience. */
function burnRules({ slo_id, title }: { slo_id: string; title: string }): AlertRule[] {
  return BURNS.map(({ name, window_s, threshold, severity }) =>
    rule({
      rule_id: `${slo_id}-burn-${name}`,
      title: `${title}: the error budget burns ${name === "fast" ? "fast" : "steadily"}`.slice(
        0,
        200,
      ),
      metric: "slo_burn_rate",
      comparison: "above",
      slo_id,
      threshold,
      window_s,
      for_s: 0,
      min_samples: 20,
      severity,
    }),
  );
}

/** The default rules of a tenant with these objectives. */
export function defaultRules(
  objectives: readonly { slo_id: string; title: string }[],
): AlertRule[] {
  return [...BASE, ...objectives.flatMap(burnRules)];
}

/** The rules of a tenant by id: its own, and the default ones that it has not replaced. */
export function rulesInForce(
  own: readonly AlertRule[],
  objectives: readonly { slo_id: string; title: string }[],
): AlertRule[] {
  const byId = new Map(defaultRules(objectives).map((one) => [one.rule_id, one]));
  for (const one of own) byId.set(one.rule_id, one);
  return [...byId.values()].toSorted((a, b) => (a.rule_id < b.rule_id ? -1 : 1));
}
