import * as z from "zod";

import { scopeSchema } from "./enums.ts";
import { instantSchema, schemaVersionSchema } from "./primitives.ts";
import { pageQuerySchema } from "./queries.ts";

/** Tenants are named like ids, so that they can be part of an object's name. */
export const tenantIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, "must be 1-64 characters of A-Z a-z 0-9 _ -");

export const keyRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    name: z.string().min(1).max(200),
    scopes: z.array(scopeSchema).min(1).max(4),
    tenant: tenantIdSchema
      .optional()
      .meta({ description: "Default: the tenant of the asking key." }),
    expires_at: instantSchema.optional(),
  })
  .meta({ id: "KeyRequest", title: "Request for an API key" });
export type KeyRequest = z.infer<typeof keyRequestSchema>;

const MOST_OVERLAP_S = 604_800;

/** How a key is rotated: its id stays, its secret is a new one. */
export const keyRotationSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    overlap_seconds: z
      .int()
      .min(0)
      .max(MOST_OVERLAP_S)
      .default(86_400)
      .meta({ description: "How long the old secret works beside the new one; 0 ends it now." }),
  })
  .meta({ id: "KeyRotation", title: "How long a rotated key's old secret still works" });

/** What of a key may change. Its scopes and its tenant stay: another key is for that. */
export const keyChangeSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    name: keyRequestSchema.shape.name.optional(),
    expires_at: instantSchema
      .nullable()
      .optional()
      .meta({ description: "In the future, sooner or later than before; null: never." }),
  })
  .refine(({ name, expires_at }) => name !== undefined || expires_at !== undefined, {
    message: "name or expires_at has to be there",
  })
  .meta({ id: "KeyChange", title: "Change of an API key" });
export type KeyChange = z.infer<typeof keyChangeSchema>;

/** Whose keys are meant: another tenant's are for the bootstrap key only. */
export const keyTenantSchema = z.strictObject({
  tenant: tenantIdSchema
    .optional()
    .meta({ description: "Default: the tenant of the asking key. Another: bootstrap key only." }),
});

/** Which keys to list. */
export const keysQuerySchema = pageQuerySchema.extend(keyTenantSchema.shape);

export const keyViewSchema = z
  .strictObject({
    key_id: z.string(),
    name: z.string(),
    tenant: tenantIdSchema,
    scopes: z.array(scopeSchema),
    state: z.enum(["active", "expired"]),
    created_at: instantSchema,
    expires_at: instantSchema.nullable(),
    rotated_at: instantSchema.nullable(),
    retiring_until: instantSchema
      .nullable()
      .meta({ description: "Until when the secret before the last rotation works beside it." }),
    last_used_at: instantSchema
      .nullable()
      .meta({ description: "Noted once an hour at most: an hour and some seconds late at worst." }),
    key: z.string().optional().meta({ description: "Shown once, stored as a hash." }),
  })
  .meta({ id: "Key", title: "API key" });
export type KeyView = z.infer<typeof keyViewSchema>;

/** Who is asking: the outcome of authentication. */
export interface Principal {
  key_id: string;
  tenant: string;
  scopes: readonly z.infer<typeof scopeSchema>[];
  /** Whether this is the bootstrap key of the installation. */
  isBootstrap: boolean;
  /** The agent that signed in place of sending a key: it speaks for itself alone. */
  agent_id?: string;
  /** The message that it signed, by which the same bytes are known when they come again. */
  message?: Omit<SignedBy, "agent_id">;
  /** Whoever holds a public read token: the one task that it may read. */
  public_task?: { task_id: string; /** Epoch milliseconds. */ expires_at: number };
}

/** Which agent signed which message: its webhook-id, and when it was signed in unix seconds. */
export interface SignedBy {
  agent_id: string;
  id: string;
  timestamp: number;
}
