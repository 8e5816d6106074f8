import { count, duration, money, percent, type Lang } from "./format.ts";

/** The threshold of a rule in the unit of what it looks at; of an anomaly it is a z-score. */
export function limitOf(
  { metric, comparison, threshold }: { metric: string; comparison: string; threshold: number },
  lang: Lang,
): string {
  if (comparison === "anomaly" || metric === "slo_burn_rate") return count(threshold, lang);
  if (metric.endsWith("_rate") || metric === "quality_mean") return percent(threshold, lang);
  if (metric.endsWith("_s")) return duration(threshold * 1_000, lang);
  return metric === "cost_usd" ? money(threshold, lang) : count(threshold, lang);
}
