import * as z from "zod";

import type { Result } from "../lib/result.ts";
import { limitsPatchSchema, limitsSchema, operationClassSchema } from "../protocol/limits.ts";
import type { Refusal } from "../protocol/refusal.ts";

/* What isolates ask of the object that keeps the limits of a tenant. Payloads are JSON text. */

/** An order for permits, and what has happened in the isolate since the last one. */
export const leaseCallSchema = z.object({
  principal: z.string(),
  operation: operationClassSchema,
  needed: z.number(),
  want: z.number(),
  back: z.number(),
  window: z.number().nullable(),
  life: z.string().nullable(),
  had: z.number(),
  /** Requests of the principal that were refused. */
  refused: z.number(),
  /** Answers to any principal of the tenant, and those of them that were 5xx. */
  answers: z.number(),
  faults: z.number(),
  /** LIMITS_FACTOR of the installation: isolates know it, so that all of them are of one mind. */
  scale: z.number(),
});
export type LeaseCall = z.infer<typeof leaseCallSchema>;

export const leaseAnswerSchema = z.object({
  permits: z.number(),
  remaining: z.number(),
  limit: z.number(),
  ends_in_ms: z.number(),
  window: z.number(),
  life: z.string(),
});

/** A change of what is set. `limits` null of a key: it has none of its own any more. */
export const limitsChangeCallSchema = z.object({
  by: z.string(),
  scale: z.number(),
  change: z.union([
    z.object({ patch: limitsPatchSchema }),
    z.object({ key_id: z.string(), limits: limitsSchema.nullable() }),
  ]),
});
export type LimitsChangeCall = z.infer<typeof limitsChangeCallSchema>;

/** The name of the object that keeps the limits of a tenant. */
export function limitsName(tenant: string): string {
  return `tenant/${tenant}`;
}

/** The limits of a tenant, as others call them over RPC. A repeated `lease` costs permits, never grants too many. */
export interface LimitsDoor {
  lease(call: string): Promise<string>;
  /** The limits and their use; `scale` as in a lease. */
  view(scale: number): Promise<string>;
  /** Changes what is set, and gives the view. Refuses limits that contradict each other, and what is not there. */
  change(call: string): Promise<Result<string, Refusal>>;
}
