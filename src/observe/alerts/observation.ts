import { METRIC_TRAITS } from "../../protocol/alert-rule-check.ts";
import type { AlertRule } from "../../protocol/alerts.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import { anomalyOf, baselineHours, isTooFew, usualOf } from "./anomaly.ts";
import type { Observation } from "./machine.ts";
import { burnRate } from "./objectives/budget.ts";
import type { Objective } from "./objectives/default-objectives.ts";
import type { Figure, FigureMetric, Figures, FigureScope } from "./ports.ts";

/** The part of a burn rate's window that has to be bad too, so that an alert ends soon after its cause has. */
const SHORT_WINDOW = 1 / 12;

/** What a rule sees, and the numbers of it. */
export interface Seen {
  observation: Observation;
  evidence: JsonObject;
}

/** What a rule is about: its agent, type of task or objective, or all there is. */
export function subjectOf(rule: Pick<AlertRule, "agent_id" | "task_type" | "slo_id">): string {
  return rule.slo_id ?? ([rule.task_type, rule.agent_id].filter(Boolean).join("/") || "all");
}

const round = (value: number): number => Number(value.toPrecision(6));

function scopeOf(rule: AlertRule): FigureScope {
  const { window_s, task_type = null, agent_id = null } = rule;
  return { window_s, task_type, agent_id };
}

async function seenAnomaly(
  figures: Figures,
  rule: AlertRule,
  { metric, figure, until }: { metric: FigureMetric; figure: Figure; until: number },
): Promise<Seen | null> {
  const { kind } = METRIC_TRAITS[metric];
  const past = await figures.history(metric, scopeOf(rule), baselineHours(until));
  const usual = usualOf(past, until);
  if (usual === null) return null;
  const compared = { metric, kind, ...figure, window_s: rule.window_s };
  if (isTooFew(compared, usual, rule.min_samples)) return null;
  const anomaly = anomalyOf(compared, usual);
  const { median, hours, of } = anomaly.usual;
  return {
    observation: { score: Math.abs(anomaly.z), samples: figure.samples },
    evidence: {
      value: round(figure.value),
      samples: figure.samples,
      ...(figure.tasks !== undefined && { tasks: figure.tasks }),
      z_score: round(anomaly.z),
      baseline: { median: round(median), deviation: round(anomaly.deviation), hours, of },
    },
  };
}

async function seenBurn(
  figures: Figures,
  rule: AlertRule,
  objectives: readonly Objective[],
): Promise<Seen | null> {
  const objective = objectives.find(({ slo_id }) => slo_id === rule.slo_id);
  if (objective === undefined) return null;
  const short_window_s = Math.max(60, Math.round(rule.window_s * SHORT_WINDOW));
  const [long, short] = await Promise.all([
    figures.share(objective, rule.window_s),
    figures.share(objective, short_window_s),
  ]);
  const rate = burnRate(objective.target, long);
  if (rate === null) return null;
  // Nothing in the short window burns nothing: what was is over.
  const recent = burnRate(objective.target, short) ?? 0;
  return {
    observation: { score: Math.min(rate, recent), samples: long.total },
    evidence: {
      value: round(Math.min(rate, recent)),
      samples: long.total,
      burn_rate: round(rate),
      burn_rate_short: round(recent),
      short_window_s,
      target: objective.target,
    },
  };
}

/**
 * What a rule sees at an instant (epoch milliseconds); null where there is nothing to see, or too little of the past to
 * compare with.
 *
 * @throws when the figures can't be read
 */
export async function observe(
  figures: Figures,
  rule: AlertRule,
  { objectives, until }: { objectives: readonly Objective[]; until: number },
): Promise<Seen | null> {
  const { metric } = rule;
  if (metric === "slo_burn_rate") return seenBurn(figures, rule, objectives);
  const figure = await figures.figure(metric, scopeOf(rule));
  if (figure === null) return null;
  // The past is not asked where the present says too little.
  const isTooLittle = figure.samples !== null && figure.samples < rule.min_samples;
  if (rule.comparison === "anomaly" && !isTooLittle) {
    return seenAnomaly(figures, rule, { metric, figure, until });
  }
  if (rule.comparison === "anomaly") return null;
  const { value, samples } = figure;
  return {
    observation: { score: value, samples },
    evidence: { value: round(value), samples },
  };
}

const COMPARED = { above: "above", below: "below", anomaly: "unusual by more than" } as const;

/** What an alert says in a sentence, and its numbers. */
export function wording(rule: AlertRule, { evidence, observation }: Seen) {
  const { metric, comparison, threshold, window_s } = rule;
  const isMoment = METRIC_TRAITS[metric].kind === "moment";
  const when = isMoment ? "" : ` over ${window_s} s`;
  const rests = observation.samples === null ? "" : ` (of ${observation.samples})`;
  const unit = comparison === "anomaly" ? " deviations" : "";
  const value = String(evidence["value"]);
  return {
    title: rule.title,
    detail: `${metric} of ${subjectOf(rule)} is ${value}${when}${rests}: ${COMPARED[comparison]} ${threshold}${unit} for ${rule.for_s} s.`,
    evidence: {
      metric,
      comparison,
      threshold,
      ...(!isMoment && { window_s }),
      for_s: rule.for_s,
      ...evidence,
    },
  };
}
