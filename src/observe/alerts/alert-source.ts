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

/** Each tenant's objectives are weeks of figures: of all tenants, those of so many are asked. */
const MOST_TENANTS = 10;

/** Settings and the technical figures of hours; and sums of at most three windows of each objective. */
const STATEMENTS = 4;
const STATEMENTS_EACH = 3;

/** Objectives and what is left of their budgets; of those without figures the target alone. */
export function objectiveSource(
  list: (tenant: string) => Promise<readonly ObjectiveStatus[]>,
): SampleSource {
  return {
    name: "objectives",
    most: MOST_TENANTS,
    read: async (tenant) => {
      const objectives = await list(tenant);
      return {
        samples: objectives.flatMap(samplesOf),
        isComplete: true,
        statements: STATEMENTS + STATEMENTS_EACH * objectives.length,
      };
    },
  };
}
