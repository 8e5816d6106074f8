import * as z from "zod";

import { taskPhaseSchema, taskStatusSchema } from "./enums.ts";
import { instantSchema, schemaVersionSchema, taskIdSchema } from "./primitives.ts";
import { cursorSchema } from "./queries.ts";

const agentGroupSchema = z.strictObject({
  state: z.enum(["online", "stale", "offline", "draining"]),
  agents: z.int(),
  slots: z.int(),
  slots_in_use: z.int(),
});

/** All that is going on in a tenant, at one glance. */
export const stateViewSchema = z
  .strictObject({
    state_id: z
      .string()
      .meta({ description: "Digest of everything but `at`: equal states have equal ids." }),
    at: instantSchema,
    tasks: z.strictObject({
      active: z.int().meta({ description: "Tasks that have not ended." }),
      is_complete: z
        .boolean()
        .meta({ description: "False when there are more than were counted." }),
      groups: z.array(
        z.strictObject({
          status: taskStatusSchema,
          phase: taskPhaseSchema,
          count: z.int(),
          oldest: z.strictObject({ task_id: taskIdSchema, created_at: instantSchema }),
        }),
      ),
    }),
    escalations: z.strictObject({
      open: z.int(),
      is_complete: z.boolean(),
      oldest_created_at: instantSchema.nullable(),
    }),
    cleanup_debt: z
      .strictObject({
        open: z.int(),
        is_complete: z.boolean(),
        oldest_created_at: instantSchema.nullable(),
      })
      .meta({ description: "What the ends of tasks left undone." }),
    agents: z.strictObject({
      groups: z.array(agentGroupSchema),
      is_complete: z.boolean(),
      slots_free: z.int().meta({ description: "Of those that are online." }),
    }),
    pools: z.array(
      z.strictObject({ pool: z.string(), agents: z.int(), online: z.int(), slots: z.int() }),
    ),
  })
  .meta({ id: "State", title: "What is going on" });
export type StateView = z.infer<typeof stateViewSchema>;

export const repairRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    task_ids: z
      .array(taskIdSchema)
      .min(1)
      .max(200)
      .optional()
      .meta({ description: "Tasks to look at, also such as the index has lost." }),
    all: z
      .boolean()
      .default(false)
      .meta({ description: "Looks at tasks that the index says have ended, too." }),
    cursor: cursorSchema.optional(),
  })
  .refine(({ task_ids, all, cursor }) => task_ids === undefined || (!all && cursor === undefined), {
    path: ["task_ids"],
    error: "goes without all and cursor",
  })
  .meta({ id: "RepairRequest", title: "Which tasks to compare with their objects" });
export type RepairRequest = z.infer<typeof repairRequestSchema>;

export const repairSchema = z
  .strictObject({
    checked: z.int(),
    repaired: z
      .array(taskIdSchema)
      .meta({ description: "Their rows differed, and are being written anew." }),
    missing: z
      .array(taskIdSchema)
      .meta({ description: "The index has them as active, or they were named; no object knows." }),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "Repair", title: "What became of a repair" });
export type Repair = z.infer<typeof repairSchema>;
