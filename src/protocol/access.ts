import * as z from "zod";

import { scopeSchema } from "./enums.ts";
import { instantSchema, schemaVersionSchema } from "./primitives.ts";

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

export const keyViewSchema = z
  .strictObject({
    key_id: z.string(),
    name: z.string(),
    tenant: tenantIdSchema,
    scopes: z.array(scopeSchema),
    created_at: instantSchema,
    expires_at: instantSchema.nullable(),
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
}
