import * as z from "zod";

import type { TaskExecution } from "./task-execution.ts";

/** Where the data of a task may go; null in each respect in which that is open. */
export const dataBoundsSchema = z.strictObject({
  locality: z.literal("local").nullable(),
  region: z.string().nullable(),
});
export type DataBounds = z.infer<typeof dataBoundsSchema>;

/** What a task says of it: `model_preference: local`, and the label `region` where it is named plainly. */
export function dataBoundsOf({
  execution_options,
  requires,
}: Pick<TaskExecution, "execution_options" | "requires">): DataBounds {
  const region = requires?.labels?.["region"];
  return {
    locality: execution_options.model_preference === "local" ? "local" : null,
    region: typeof region === "string" ? region : null,
  };
}

/** Where a model is, as the catalogue says it. */
interface Place {
  locality: string;
  region?: string | null | undefined;
}

/** Data that stay on the operator's own machines leave no region, unless the catalogue says where these are. */
export function staysIn(bound: string | null, { locality, region }: Place): boolean {
  const isUnnamed = region === null || region === undefined;
  return bound === null || region === bound || (locality === "local" && isUnnamed);
}

/** Whether anything is out of bounds. */
export function isBounded({ locality, region }: DataBounds): boolean {
  return locality !== null || region !== null;
}

/** Whether a model may be shown data. */
export function mayBeShown(model: Place, { locality, region }: DataBounds): boolean {
  return (locality === null || model.locality === locality) && staysIn(region, model);
}
