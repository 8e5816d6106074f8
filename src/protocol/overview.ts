import * as z from "zod";

import { severitySchema, taskStatusSchema } from "./enums.ts";
import { metricSeriesSchema } from "./metric-series.ts";
import { objectiveStatusSchema } from "./objectives.ts";
import { instantSchema } from "./primitives.ts";

/**
 * What a person looks at first. Counts are of the last 24 hours unless their name says otherwise: the present hour and
 * the 23 before it.
 */
export const overviewSchema = z
  .strictObject({
    at: instantSchema,
    tasks: z.strictObject({
      active: z.int(),
      is_complete: z
        .boolean()
        .meta({ description: "False when more are active than were counted." }),
      by_status: z.array(z.strictObject({ status: taskStatusSchema, count: z.int() })),
      created: z.int(),
      ended: z.int(),
      succeeded: z.int(),
      completion_rate: z
        .number()
        .nullable()
        .meta({ description: "Succeeded of those that ended, but for cancelled ones." }),
      duration_p50_s: z.number().nullable(),
      duration_p95_s: z.number().nullable(),
      quality: z.number().nullable(),
    }),
    cost_usd: z.number(),
    tokens: z.int(),
    deliveries: z.strictObject({
      delivered: z.int(),
      failed: z.int(),
      success_rate: z.number().nullable(),
      p95_s: z.number().nullable(),
      oldest_due_age_s: z.number().nullable().meta({
        description:
          "Of the ten endpoints in the worst trouble, the oldest delivery that is due; null where none is in trouble.",
      }),
    }),
    agents: z.strictObject({
      online: z.int(),
      draining: z.int(),
      stale: z.int(),
      slots: z.int(),
      slots_in_use: z.int(),
      is_complete: z.boolean(),
    }),
    webhooks: z.strictObject({
      total: z.int(),
      troubled: z.int().meta({ description: "Whose breaker is not at level 0." }),
    }),
    escalations_open: z.int(),
    cleanup_debts_open: z.int(),
    alerts: z.array(z.strictObject({ severity: severitySchema, firing: z.int() })),
    objectives: z.array(objectiveStatusSchema),
    health: z.strictObject({
      is_ready: z.boolean(),
      dependencies: z.record(z.string(), z.string()),
    }),
    series: z.array(metricSeriesSchema).meta({
      description:
        "Of the last hour by minute: tasks_created, tasks_ended by status, cost_usd, deliveries by outcome.",
    }),
    incomplete: z.array(z.string()).meta({
      description:
        "Members that could not be told this time, because their source failed or was slow: what stands there says nothing.",
    }),
  })
  .meta({ id: "Overview", title: "What a person looks at first" });
export type Overview = z.infer<typeof overviewSchema>;
