import type { ObjectiveRequest, ObjectiveStatus } from "../../../protocol/objectives.ts";
import { SCHEMA_VERSION } from "../../../protocol/primitives.ts";

/** An objective as it is kept. */
export type Objective = ObjectiveRequest & Pick<ObjectiveStatus, "slo_id" | "source">;

const common = { schema_version: SCHEMA_VERSION, window_days: 28, source: "default" } as const;

/** What every tenant wants until it says what it wants: a PUT under the id replaces it. */
const DEFAULTS: readonly Objective[] = [
  {
    ...common,
    slo_id: "task-success",
    title: "Tasks complete",
    indicator: "task_success",
    target: 0.95,
  },
  {
    ...common,
    slo_id: "delivery-success",
    title: "Webhook deliveries arrive",
    indicator: "delivery_success",
    target: 0.99,
  },
  {
    ...common,
    slo_id: "http-success",
    title: "Requests are answered",
    indicator: "http_success",
    target: 0.999,
  },
];

/** Whether an objective of this id comes with Batuta. */
export function isDefaultObjective(slo_id: string): boolean {
  return DEFAULTS.some((one) => one.slo_id === slo_id);
}

/** The objectives of a tenant by id: its own, and the default ones that it has not replaced. */
export function objectivesInForce(own: readonly Objective[]): Objective[] {
  const byId = new Map(DEFAULTS.map((one) => [one.slo_id, one]));
  for (const one of own) byId.set(one.slo_id, one);
  return [...byId.values()].toSorted((a, b) => (a.slo_id < b.slo_id ? -1 : 1));
}
