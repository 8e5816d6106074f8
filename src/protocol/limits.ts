import * as z from "zod";

import { instantSchema, schemaVersionSchema } from "./primitives.ts";

/**
 * Classes of operations, each with a budget of its own, so that a flood of one leaves the others usable: `execute`
 * orders work, `notify` is what executors do about theirs, `status` reads, `admin` governs.
 */
export const operationClassSchema = z
  .enum(["execute", "notify", "status", "admin"])
  .meta({ id: "OperationClass", title: "Class of operations" });
export type OperationClass = z.infer<typeof operationClassSchema>;

/** Seconds of a window, which begins with a key's first request (protocol.md §7: limits are a minute's). */
export const WINDOW_S = 60;

/** The least `admin` may be set to: an administrator must be able to take back what he has set. */
const LEAST_ADMIN = 10;

const limitSchema = z.int().min(1).max(1_000_000);

const limitFields = {
  total: limitSchema.meta({ description: "Requests of a key in a window, of all classes." }),
  execute: limitSchema.meta({ description: "Set aside of the total for ordering work." }),
  status: limitSchema.meta({ description: "The most that reads may take of what is left." }),
  admin: limitSchema
    .min(LEAST_ADMIN)
    .meta({ description: "Set aside of the total for governing." }),
};

/** A rule between limits that is broken: which of them, and what would be right. */
interface LimitFault {
  field: keyof typeof limitFields;
  detail: string;
  received: number;
}

/** What is wrong between the limits of one key: all of it, so that one answer is enough. */
export function faultsOfLimits(limits: Record<keyof typeof limitFields, number>): LimitFault[] {
  const { total, execute, status, admin } = limits;
  const left = total - execute - admin;
  if (left < 1) {
    const detail = `must be above execute + admin, which is ${execute + admin}`;
    return [{ field: "total", detail, received: total }];
  }
  if (status <= left) return [];
  const detail = `must not be above total - execute - admin, which is ${left}`;
  return [{ field: "status", detail, received: status }];
}

/** The limits of a key as they are set; `notify` has what the others leave. */
export const limitsSchema = z
  .strictObject(limitFields)
  .meta({ id: "Limits", title: "Requests that a key may make in a minute" });
export type Limits = z.infer<typeof limitsSchema>;

/** The limits of one key, all of them, so that a later change of the tenant's can't make them impossible. */
export const keyLimitsRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    limits: limitsSchema.superRefine((limits, context) => {
      for (const { field, detail } of faultsOfLimits(limits)) {
        context.addIssue({ code: "custom", path: [field], message: detail });
      }
    }),
  })
  .meta({ id: "KeyLimitsRequest", title: "Limits for one key" });

/** Limits of one key in place of the tenant's. */
export const keyLimitsSchema = z
  .strictObject({ key_id: z.string(), limits: limitsSchema })
  .meta({ id: "KeyLimits", title: "The limits of one key" });
export type KeyLimits = z.infer<typeof keyLimitsSchema>;

export const limitsPatchSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    limits: z
      .strictObject({
        total: limitFields.total.nullable().optional(),
        execute: limitFields.execute.nullable().optional(),
        status: limitFields.status.nullable().optional(),
        admin: limitFields.admin.nullable().optional(),
      })
      .optional()
      .meta({ description: "What is not named stays; null is the default again." }),
    auto: z.boolean().optional().meta({
      description: "Whether Batuta lowers limits by itself while the tenant is in trouble.",
    }),
  })
  .refine(({ limits, auto }) => limits !== undefined || auto !== undefined, {
    error: "must name limits or auto",
  })
  .meta({ id: "LimitsPatch", title: "A change of the limits of a tenant" });
export type LimitsPatch = z.infer<typeof limitsPatchSchema>;

const count = z.int().min(0);

const perClassSchema = z
  .strictObject({ execute: count, notify: count, status: count, admin: count })
  .meta({ id: "PerClass", title: "Requests by class of operations" });

/** How many requests, by their class. */
export type PerClass = z.infer<typeof perClassSchema>;

export const factorSchema = z.number().min(0.25).max(1);

/** Why limits are multiplied: what lowered them, or that they come back. */
export const factorReasonSchema = z.enum(["none", "errors", "backlog", "refusals", "recovery"]);
export type FactorReason = z.infer<typeof factorReasonSchema>;

/** One change of limits or of what they are multiplied by. */
export const limitChangeSchema = z
  .strictObject({
    at: instantSchema,
    kind: z.enum(["limits", "auto", "key_limits", "factor", "key_factor"]),
    key_id: z.string().nullable().meta({ description: "The key it is about; null: all of them." }),
    by: z.string().nullable().meta({ description: "The key that asked; null: Batuta itself." }),
    from: z.record(z.string(), z.union([z.number(), z.boolean()])).nullable(),
    to: z.record(z.string(), z.union([z.number(), z.boolean()])).nullable(),
    reason: factorReasonSchema.nullable(),
    evidence: z.string().nullable(),
  })
  .meta({ id: "LimitChange", title: "A change of limits" });
export type LimitChange = z.infer<typeof limitChangeSchema>;

const usageSchema = z
  .strictObject({
    key_id: z.string().meta({ description: "The key, or `agent:<agent_id>` of one that signs." }),
    window_started_at: instantSchema,
    window_ends_at: instantSchema,
    taken: perClassSchema.meta({
      description: "Permits that servers have taken: what was used, and a little that they hold.",
    }),
    effective: perClassSchema,
    refused: count,
    factor: factorSchema.meta({ description: "Of this key alone, by its refused requests." }),
  })
  .meta({ id: "LimitUsage", title: "What a key has used of its limits" });

export const limitsViewSchema = z
  .strictObject({
    window_seconds: z.int(),
    auto: z.boolean(),
    limits: limitsSchema.meta({ description: "As set, or the defaults." }),
    effective: perClassSchema.meta({ description: "What a key gets at present, by class." }),
    factor: z.strictObject({
      value: factorSchema,
      reason: factorReasonSchema,
      since: instantSchema.nullable(),
      evidence: z.string().nullable(),
    }),
    keys: z.array(keyLimitsSchema).meta({ description: "Keys with limits of their own." }),
    usage: z.array(usageSchema).meta({ description: "The 20 busiest keys of the last minute." }),
    changes: z.array(limitChangeSchema).meta({ description: "The last 50, newest first." }),
  })
  .meta({ id: "LimitsView", title: "Limits of a tenant and their use" });
export type LimitsView = z.infer<typeof limitsViewSchema>;
