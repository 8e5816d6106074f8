import * as z from "zod";

import { tenantIdSchema } from "./access.ts";
import { instantSchema, jsonObjectSchema, type JsonObject } from "./primitives.ts";
import { pageQuerySchema } from "./queries.ts";

/** One thing that somebody did, or that befell something by itself. */
export const auditEntrySchema = z
  .strictObject({
    audit_id: z.string(),
    at: instantSchema,
    actor: z.string().meta({ description: "Id of the key, or `system`" }),
    actor_kind: z.enum(["key", "system"]),
    action: z.string().meta({ description: "Such as key_created or level_changed" }),
    subject: z.string().meta({ description: "Id of what it was done to" }),
    subject_kind: z.string().meta({ description: "Such as key, agent, task or webhook" }),
    request_id: z
      .string()
      .nullable()
      .meta({ description: "Of the request that asked for it; null of entries about webhooks" }),
    detail: jsonObjectSchema.meta({ description: "What of it changed; never a secret" }),
  })
  .meta({ id: "AuditEntry", title: "Who did what to which object" });
export type AuditEntry = z.infer<typeof auditEntrySchema>;

/** Who did something when nobody asked for it. */
export const SYSTEM_ACTOR = "system";

/** Which entries are meant: the query of GET /v1/audit. All conditions have to hold. */
export const auditQuerySchema = z
  .strictObject({
    subject: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .meta({ description: "Id of what it was done to" }),
    actor: z.string().min(1).max(300).optional().meta({ description: "Id of a key, or `system`" }),
    action: z
      .string()
      .regex(/^[a-z_]{1,100}$/, "must be 1-100 characters of a-z _")
      .optional(),
    since: instantSchema.optional().meta({ description: "At this instant or later" }),
    until: instantSchema.optional().meta({ description: "Before this instant" }),
    tenant: tenantIdSchema
      .optional()
      .meta({ description: "Default: that of the key. Another one is for the bootstrap key." }),
    ...pageQuerySchema.shape,
  })
  .refine(
    ({ since, until }) =>
      since === undefined || until === undefined || Date.parse(since) < Date.parse(until),
    { path: ["until"], error: "must be after since" },
  );
export type AuditQuery = z.infer<typeof auditQuerySchema>;

/** An entry as it is stored: what can be told from the rest is left out. */
export const auditRecordSchema = z.strictObject({
  tenant: tenantIdSchema,
  subject: z.string(),
  at: instantSchema,
  audit_id: z.string(),
  actor: z.string(),
  action: z.string(),
  detail: jsonObjectSchema,
  subject_kind: z.string().nullable(),
  request_id: z.string().nullable(),
});
export type AuditRecord = z.infer<typeof auditRecordSchema>;

/** An entry that D1 did not take, on its way there by the `events` queue. */
export const auditMessageSchema = z.strictObject({
  form: z.literal("audit"),
  record: auditRecordSchema,
});
export type AuditMessage = z.infer<typeof auditMessageSchema>;

/** What somebody has done by a request, on its way into the audit. */
export interface Deed {
  action: string;
  subject: string;
  subject_kind: string;
  detail: JsonObject;
  request_id: string;
  /** That of the object, where it is not that of the actor. */
  tenant?: string | undefined;
}
