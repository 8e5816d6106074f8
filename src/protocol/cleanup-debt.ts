import * as z from "zod";

import { instantSchema, schemaVersionSchema, taskIdSchema, textSchema } from "./primitives.ts";
import { cursorSchema, wholeNumber } from "./queries.ts";
import { actorSchema, debtKindSchema } from "./task-view.ts";

const debtStateSchema = z.enum(["open", "settled", "expired"]);

/** Something that the end of a task left undone, and what has become of it since. */
export const cleanupDebtViewSchema = z
  .strictObject({
    debt_id: z.string(),
    task_id: taskIdSchema,
    kind: debtKindSchema,
    stage: z.string().nullable().meta({ description: "The stage of the end whose work it is." }),
    what: z
      .string()
      .meta({ description: "In words, the first 1,000 characters; the report has them all." }),
    owner: z.string().meta({
      description: "Who has to see to it: `pool x`, `agent x` or `batuta`.",
    }),
    state: debtStateSchema,
    created_at: instantSchema,
    expires_at: instantSchema
      .nullable()
      .meta({ description: "Until when it matters; null as long as the task is kept." }),
    tries: z.int().min(0).meta({ description: "How often Batuta has tried since the end." }),
    last_tried_at: instantSchema.nullable(),
    last_detail: z
      .string()
      .nullable()
      .meta({ description: "What the last try said, or the note of who settled it." }),
    settled_at: instantSchema.nullable(),
    settled_by: actorSchema.nullable(),
  })
  .meta({ id: "CleanupDebt", title: "Something that the end of a task left undone" });
export type CleanupDebtView = z.infer<typeof cleanupDebtViewSchema>;

export const debtsQuerySchema = z.strictObject({
  state: debtStateSchema.optional(),
  kind: debtKindSchema.optional(),
  owner: z.string().min(1).max(200).optional(),
  task_id: taskIdSchema.optional(),
  cursor: cursorSchema.optional(),
  limit: wholeNumber(1, 200).default(50),
});
export type DebtsQuery = z.infer<typeof debtsQuerySchema>;

/** Somebody says that it is done. */
export const debtSettlementSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    note: textSchema.optional().meta({ description: "How it was done; kept as `last_detail`." }),
  })
  .meta({ id: "DebtSettlement", title: "Word that a cleanup debt is settled" });
export type DebtSettlement = z.infer<typeof debtSettlementSchema>;

/** What a task's object answers when it has tried once more; it crosses as JSON text. */
export const debtRepairSchema = z.strictObject({
  state: z.enum(["settled", "open"]),
  detail: z.string(),
});
