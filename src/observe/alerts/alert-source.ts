import type { Clock } from "../../lib/ports.ts";
import { severitySchema } from "../../protocol/enums.ts";
import type { ObjectiveStatus } from "../../protocol/objectives.ts";
import type { Sample, SampleSource } from "../meter/ports.ts";

/** Budgets of weeks are counted anew for /metrics at most so often. Milliseconds. */
const TRUST_MS = 60_000;

/** Tenants whose budgets are remembered; then all are forgotten. */
const MAX_TRUSTED = 200;

/** How many alerts fire, by severity; also those that are 0. */
export function alertSource(
  countFiring: (tenant: string) => Promise<ReadonlyMap<string, number>>,
): SampleSource {
  return {
    name: "alerts",
    async read(tenant) {
      const counts = await countFiring(tenant);
      const samples = severitySchema.options.map((severity): Sample => ({
        metric: "batuta_alerts_firing",
        labels: { severity },
        value: counts.get(severity) ?? 0,
      }));
      return { samples, isComplete: true };
    },
  };
}

function samplesOf(objective: ObjectiveStatus): Sample[] {
  const { slo_id, target, attained, budget_total, budget_left } = objective;
  const labels = { slo_id };
  return [
    { metric: "batuta_slo_target", labels, value: target },
    ...(attained === null
      ? []
      : [
          { metric: "batuta_slo_attained", labels, value: attained } as const,
          { metric: "batuta_slo_budget_left", labels, value: budget_left / budget_total } as const,
        ]),
  ];
}

/** Objectives and what is left of their budgets, a minute old at most; of those without figures the target alone. */
export function objectiveSource(
  list: (tenant: string) => Promise<readonly ObjectiveStatus[]>,
  now: Clock,
): SampleSource {
  const trusted = new Map<string, { samples: Sample[]; until: number }>();
  return {
    name: "objectives",
    async read(tenant) {
      const known = trusted.get(tenant);
      if (known !== undefined && now() < known.until) {
        return { samples: known.samples, isComplete: true };
      }
      const samples = (await list(tenant)).flatMap(samplesOf);
      if (trusted.size >= MAX_TRUSTED) trusted.clear();
      trusted.set(tenant, { samples, until: now() + TRUST_MS });
      return { samples, isComplete: true };
    },
  };
}
