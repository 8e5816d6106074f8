import * as z from "zod";

import { alertNameSchema } from "./alerts.ts";
import { taskTypeSchema } from "./enums.ts";
import { schemaVersionSchema } from "./primitives.ts";

/* Service-level objectives and their error budgets. */

/** Ids that people choose for objectives: short enough that those of their alert rules are names too. */
export const sloIdSchema = alertNameSchema.max(80);

/** A service-level objective: which share has to be good, over which window. */
export const objectiveRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    title: z.string().min(1).max(200),
    indicator: z.enum(["task_success", "task_in_time", "delivery_success", "http_success"]),
    target: z
      .number()
      .min(0.5)
      .max(0.99999)
      .meta({ description: "Share that has to be good, e.g. 0.99." }),
    window_days: z.int().min(1).max(90).default(28),
    limit_s: z
      .number()
      .positive()
      .optional()
      .meta({ description: "What counts as in time, for task_in_time." }),
    task_type: taskTypeSchema.optional(),
  })
  .meta({ id: "ObjectiveRequest", title: "A service-level objective" });
export type ObjectiveRequest = z.infer<typeof objectiveRequestSchema>;

export const objectiveStatusSchema = z
  .strictObject({
    ...objectiveRequestSchema.shape,
    schema_version: z.string(),
    slo_id: alertNameSchema,
    source: z.enum(["default", "tenant"]),
    total: z.int(),
    good: z.int(),
    attained: z
      .number()
      .nullable()
      .meta({ description: "Share that was good; null while there is nothing." }),
    budget_total: z.number().meta({ description: "Bad ones that the target allows, of `total`." }),
    budget_left: z
      .number()
      .meta({ description: "Of them not spent yet; below 0 when it is overspent." }),
    burn_rate_1h: z
      .number()
      .nullable()
      .meta({ description: "1: the budget lasts exactly the window." }),
    burn_rate_6h: z.number().nullable(),
  })
  .meta({ id: "Objective", title: "A service-level objective and its error budget" });
export type ObjectiveStatus = z.infer<typeof objectiveStatusSchema>;
