import { severitySchema } from "../../protocol/enums.ts";
import type { ObjectiveStatus } from "../../protocol/objectives.ts";
import type { Sample, SampleSource } from "../meter/ports.ts";

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

/** Objectives and what is left of their budgets; of those without figures the target alone. */
export function objectiveSource(
  list: (tenant: string) => Promise<readonly ObjectiveStatus[]>,
): SampleSource {
  return {
    name: "objectives",
    read: async (tenant) => ({
      samples: (await list(tenant)).flatMap(samplesOf),
      isComplete: true,
    }),
  };
}
