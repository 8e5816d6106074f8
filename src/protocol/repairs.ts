import * as z from "zod";

import { instantSchema } from "./primitives.ts";
import { stateViewSchema } from "./state-view.ts";

/* What the sweeper and the self-repair did. */

/** What may come of a look at what sleeps, is left undone or is too old. */
const repairKindSchema = z.enum([
  "task_woken",
  "task_not_woken",
  "debt_settled",
  "debt_expired",
  "debt_still_open",
  "endpoint_swept",
  "endpoint_not_swept",
  "row_rebuilt",
  "task_removed",
]);
export type RepairKind = z.infer<typeof repairKindSchema>;

/** Ids that a run names of one kind; the rest is counted. */
export const NAMED_IDS = 10;

const repairedSchema = z.strictObject({
  what: repairKindSchema,
  count: z.int().min(1),
  ids: z
    .array(z.string())
    .max(NAMED_IDS)
    .meta({ description: `The first ${NAMED_IDS} of them` }),
});
export type Repaired = z.infer<typeof repairedSchema>;

const sweepFactsSchema = z.strictObject({
  at: instantSchema,
  duration_ms: z.int().min(0),
  cause: z.enum(["sweep", "request"]),
  broken: z.array(z.string()).meta({ description: "Sweeps that failed; they come again." }),
});

/** A run as it is kept: what it did for each tenant. */
export const sweepRunSchema = sweepFactsSchema.extend({
  tenants: z.record(z.string(), z.array(repairedSchema)),
});
export type SweepRun = z.infer<typeof sweepRunSchema>;

/** Whether what repairs is at work, and what it did last. */
export const repairsSchema = z
  .strictObject({
    at: instantSchema,
    swept_at: instantSchema.nullable().meta({
      description:
        "The last sweep that was noted: one that did something, or the first of an hour.",
    }),
    is_sweeper_late: z.boolean().meta({ description: "No sweep was noted for over two hours." }),
    agents: stateViewSchema.shape.agents.meta({
      description: "Executors by their sign of life: stale and offline ones have been silent.",
    }),
    runs: z.array(sweepFactsSchema.extend({ repairs: z.array(repairedSchema) })).meta({
      description:
        "Of the last 20 runs that did something: those that did it for this tenant, newest first.",
    }),
  })
  .meta({ id: "Repairs", title: "What repairs itself, and what it did" });
export type Repairs = z.infer<typeof repairsSchema>;
