import { METRICS, type Metric } from "../catalogue.ts";
import type { Sample } from "../ports.ts";

/* The Prometheus text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). */

/** A sample of a tenant; null where its tenant is not said, because it is the only one. */
export interface TenantSample {
  tenant: string | null;
  sample: Sample;
}

/** In a help text, backslash and line feed are escaped. */
function helpText(text: string): string {
  return text.replaceAll("\\", String.raw`\\`).replaceAll("\n", String.raw`\n`);
}

/** In a label value, backslash, quote and line feed are escaped. */
function labelText(value: string): string {
  return helpText(value).replaceAll('"', String.raw`\"`);
}

/** As Go's ParseFloat reads it. */
function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return String(value);
}

type Labels = readonly (readonly [string, string])[];

function line(name: string, labels: Labels, value: number): string {
  const inner = labels.map(([label, text]) => `${label}="${labelText(text)}"`).join(",");
  return `${name}${inner === "" ? "" : `{${inner}}`} ${numberText(value)}`;
}

function labelsOf(metric: Metric, { tenant, sample }: TenantSample): Labels {
  const own = metric.labels.map((label) => [label, sample.labels[label] ?? ""] as const);
  return tenant === null ? own : [["tenant", tenant], ...own];
}

/** The lines of a histogram: buckets count all that is below, so each is at least the one before. */
function linesOf(metric: Metric, of: TenantSample): string[] {
  const { sample } = of;
  const labels = labelsOf(metric, of);
  if ("value" in sample) return [line(metric.name, labels, sample.value)];
  const bounds = [...sample.bounds, Infinity];
  let count = 0;
  const buckets = bounds.map((bound, index) => {
    count += sample.counts[index] ?? 0;
    return line(`${metric.name}_bucket`, [...labels, ["le", numberText(bound)]], count);
  });
  return [
    ...(metric.type === "histogram" ? buckets : []),
    line(`${metric.name}_sum`, labels, sample.sum),
    line(`${metric.name}_count`, labels, count),
  ];
}

/**
 * Samples as text: a metric's lines together, after its help and its type, in the order of the catalogue. A metric
 * without a sample is not mentioned.
 */
export function exposition(samples: readonly TenantSample[]): string {
  const groups = Map.groupBy(samples, ({ sample }) => sample.metric);
  const lines = METRICS.flatMap((metric: Metric & { name: Sample["metric"] }) => {
    const group = groups.get(metric.name) ?? [];
    if (group.length === 0) return [];
    return [
      `# HELP ${metric.name} ${helpText(metric.help)}`,
      `# TYPE ${metric.name} ${metric.type}`,
      ...group.flatMap((of) => linesOf(metric, of)),
    ];
  });
  return lines.map((text) => `${text}\n`).join("");
}
