import * as z from "zod";

import { instantSchema, jsonObjectSchema, taskIdSchema } from "./primitives.ts";
import { spanIdSchema } from "./span-names.ts";

/* The spans of one task: what happened within what, and for how long (W3C Trace Context, OpenTelemetry's words). */

const spanKindSchema = z.enum([
  "request",
  "task",
  "queue_wait",
  "attempt",
  "model_call",
  "escalation",
  "end_phase",
  "delivery",
  "delivery_attempt",
]);

const spanSchema = z
  .strictObject({
    span_id: spanIdSchema,
    parent_id: spanIdSchema.nullable().meta({
      description:
        "null for the root, or where the caller's own span is the parent: see `remote_parent`.",
    }),
    kind: spanKindSchema,
    name: z.string(),
    started_at: instantSchema,
    ended_at: instantSchema.nullable().meta({ description: "null while it goes on." }),
    duration_ms: z.number().nullable(),
    status: z.enum(["ok", "error", "unset"]),
    attributes: jsonObjectSchema.meta({
      description:
        "`clock_skew_ms`: so far did clocks disagree, and the span was fitted into its parent. `after_parent_ms`: so much later than its parent it ended.",
    }),
    is_on_slowest_path: z.boolean(),
  })
  .meta({ id: "Span", title: "One thing that took time" });
export type Span = z.infer<typeof spanSchema>;

export const traceSchema = z
  .strictObject({
    trace_id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .meta({ description: "The correlation_id." }),
    task_id: taskIdSchema,
    remote_parent: spanIdSchema
      .nullable()
      .meta({ description: "The submitter's span, when its request said one." }),
    started_at: instantSchema,
    ended_at: instantSchema.nullable(),
    duration_ms: z.number().nullable(),
    spans: z.array(spanSchema).meta({ description: "Parents before children, then by start." }),
    slowest_path: z
      .array(z.string())
      .meta({ description: "Span ids from the root to the leaf that kept the end waiting." }),
    is_complete: z.boolean().meta({
      description: "False when something could not be read, such as deliveries that are gone.",
    }),
    missing: z.array(z.string()).meta({ description: "What could not be read, and why." }),
  })
  .meta({ id: "Trace", title: "What a task spent its time on" });
export type Trace = z.infer<typeof traceSchema>;
