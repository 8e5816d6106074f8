import type * as z from "zod";

import type { AlertMetric, AlertRuleRequest } from "./alerts.ts";

/** What a figure is: a share or a mean of observations, a count within the window, or what holds at a moment. */
export type FigureKind = "share" | "mean" | "count" | "moment";

/** What can be said of a figure, and asked of it. */
interface MetricTraits {
  kind: FigureKind;
  /** Of tasks: it can be asked for by task type and agent, and compared with the usual. */
  isOfTasks: boolean;
}

const of = (kind: FigureKind, isOfTasks: boolean): MetricTraits => ({ kind, isOfTasks });

/** What can be said of each figure that a rule may watch. */
export const METRIC_TRAITS: Readonly<Record<AlertMetric, MetricTraits>> = {
  task_failure_rate: of("share", true),
  task_duration_p95_s: of("mean", true),
  task_duration_mean_s: of("mean", true),
  tasks_created: of("count", true),
  tasks_ended: of("count", true),
  cost_usd: of("count", true),
  tokens: of("count", true),
  quality_mean: of("mean", true),
  escalations: of("count", true),
  delivery_failure_rate: of("share", false),
  delivery_latency_p95_s: of("mean", false),
  delivery_oldest_age_s: of("moment", false),
  http_error_rate: of("share", false),
  http_latency_p95_s: of("mean", false),
  agents_online: of("moment", false),
  slots_free: of("moment", false),
  escalations_open: of("moment", false),
  cleanup_debts_open: of("moment", false),
  slo_burn_rate: of("share", false),
};

/** What is counted of tasks that nobody may have yet. */
const NOBODYS: ReadonlySet<AlertMetric> = new Set(["tasks_created", "escalations"]);

/** The longest window of an anomaly: the past is kept by the hour. Seconds. */
const LONGEST_ANOMALY_S = 3_600;

/** The shortest window of a burn rate: a twelfth of it is looked at too, and figures are kept by the minute. Seconds. */
const SHORTEST_BURN_S = 720;

type Fault = [path: keyof AlertRuleRequest, message: string];

function clearFaults({ comparison, threshold, clear_threshold: clear }: AlertRuleRequest): Fault[] {
  if (clear === undefined) return [];
  if (comparison === "below" && clear < threshold) {
    return [["clear_threshold", `must be at least the threshold, ${threshold}`]];
  }
  if (comparison !== "below" && clear > threshold) {
    return [["clear_threshold", `must be at most the threshold, ${threshold}`]];
  }
  return [];
}

function anomalyFaults({ metric, comparison, threshold, window_s }: AlertRuleRequest): Fault[] {
  if (comparison !== "anomaly") return [];
  const faults: Fault[] = [];
  if (!METRIC_TRAITS[metric].isOfTasks) {
    faults.push(["comparison", "anomaly is for figures of tasks; use above or below"]);
  }
  if (threshold <= 0) faults.push(["threshold", "of an anomaly must be above 0: a z-score"]);
  if (window_s > LONGEST_ANOMALY_S) {
    const most = `of an anomaly is at most ${LONGEST_ANOMALY_S}: it is compared with hours`;
    faults.push(["window_s", most]);
  }
  return faults;
}

function scopeFaults({ metric, task_type, agent_id, slo_id }: AlertRuleRequest): Fault[] {
  const isBurn = metric === "slo_burn_rate";
  const faults: Fault[] = [];
  if (isBurn && slo_id === undefined) faults.push(["slo_id", "is required for slo_burn_rate"]);
  if (!isBurn && slo_id !== undefined) faults.push(["slo_id", "goes with slo_burn_rate only"]);
  if (agent_id !== undefined && NOBODYS.has(metric)) {
    faults.push(["agent_id", `${metric} counts what has no agent yet; leave it out`]);
  }
  if (METRIC_TRAITS[metric].isOfTasks) return faults;
  const message = `${metric} is not kept by it; leave it out`;
  if (task_type !== undefined) faults.push(["task_type", message]);
  if (agent_id !== undefined) faults.push(["agent_id", message]);
  return faults;
}

function burnFaults({ metric, window_s }: AlertRuleRequest): Fault[] {
  if (metric !== "slo_burn_rate" || window_s >= SHORTEST_BURN_S) return [];
  return [["window_s", `of slo_burn_rate is at least ${SHORTEST_BURN_S}`]];
}

/** Names each member of a rule that does not go with the others, and says what would. */
export function checkRule(rule: AlertRuleRequest, context: z.RefinementCtx): void {
  const faults = [
    ...clearFaults(rule),
    ...anomalyFaults(rule),
    ...scopeFaults(rule),
    ...burnFaults(rule),
  ];
  for (const [path, message] of faults) {
    context.addIssue({ code: "custom", path: [path], message });
  }
}
