import * as z from "zod";

import { endReasonSchema } from "./enums.ts";
import { qualityAssessmentSchema } from "./notification.ts";
import {
  agentIdSchema,
  amountSchema,
  instantSchema,
  jsonObjectSchema,
  moneySchema,
  schemaVersionSchema,
  taskIdSchema,
  textSchema,
  wordSchema,
} from "./primitives.ts";

const files = z.array(z.string().min(1).max(1_000)).max(1_000);

const executionMetricsSchema = z.strictObject({
  start_time: instantSchema,
  end_time: instantSchema,
  duration_seconds: z.number().min(0).meta({ description: "end_time minus start_time" }),
  tokens_consumed: amountSchema.optional(),
  api_calls_made: amountSchema.optional(),
  cost_incurred: moneySchema.optional().meta({ description: "US dollars" }),
  memory_peak_mb: z.number().min(0).optional(),
  cpu_time_seconds: z.number().min(0).optional(),
});

const agentEndTaskFields = z.strictObject({
  schema_version: schemaVersionSchema,
  task_id: taskIdSchema,
  agent_id: agentIdSchema,
  reason: endReasonSchema,
  timestamp: instantSchema,
  result_data: z
    .strictObject({
      output: z.unknown().optional(),
      files_created: files.optional(),
      files_modified: files.optional(),
      artifacts: z
        .array(
          z.strictObject({
            type: wordSchema,
            path: z.string().min(1).max(1_000),
            description: textSchema.optional(),
          }),
        )
        .max(1_000)
        .optional(),
    })
    .optional(),
  execution_metrics: executionMetricsSchema.optional(),
  quality_assessment: qualityAssessmentSchema.optional(),
  error_information: z
    .strictObject({
      error_code: wordSchema,
      error_message: textSchema,
      error_stack: z.string().max(50_000).optional(),
      recovery_attempted: z.boolean().optional(),
      recovery_actions: z.array(textSchema).max(100).optional(),
    })
    .optional(),
  cleanup_actions: z
    .array(z.union([textSchema, jsonObjectSchema]))
    .max(100)
    .optional(),
  next_actions: z
    .strictObject({
      cleanup_required: z.boolean().optional(),
      follow_up_tasks: z
        .array(z.union([textSchema, jsonObjectSchema]))
        .max(100)
        .optional(),
      escalation_needed: z.boolean().optional(),
      user_notification_required: z.boolean().optional(),
    })
    .optional(),
});
type AgentEndTaskFields = z.infer<typeof agentEndTaskFields>;

/** One second: durations are whole seconds, their difference need not be. */
const DURATION_TOLERANCE_S = 1;

interface RuleFault {
  path: string[];
  message: string;
}

function faultsOfMetrics({ execution_metrics: metrics }: AgentEndTaskFields): RuleFault[] {
  if (metrics === undefined) return [];
  const difference = (Date.parse(metrics.end_time) - Date.parse(metrics.start_time)) / 1_000;
  if (difference < 0) {
    return [{ path: ["execution_metrics", "end_time"], message: "must not be before start_time" }];
  }
  return Math.abs(difference - metrics.duration_seconds) >= DURATION_TOLERANCE_S
    ? [
        {
          path: ["execution_metrics", "duration_seconds"],
          message: `must be end_time minus start_time (${difference} s)`,
        },
      ]
    : [];
}

function faultsOfSuccess({ quality_assessment, error_information }: AgentEndTaskFields) {
  const contradiction =
    "contradicts the reason success: leave error_information out, or give the reason that it speaks of";
  return [
    ...(quality_assessment === undefined
      ? [{ path: ["quality_assessment"], message: "is required when the reason is success" }]
      : []),
    ...(error_information === undefined
      ? []
      : [{ path: ["error_information"], message: contradiction }]),
  ];
}

function faultsOfReason(end: AgentEndTaskFields): RuleFault[] {
  switch (end.reason) {
    case "success":
      return faultsOfSuccess(end);
    case "failure":
    case "timeout":
    case "resource_exhausted":
      return end.error_information === undefined
        ? [{ path: ["error_information"], message: `is required when the reason is ${end.reason}` }]
        : [];
    case "escalated":
    case "cancelled":
      return [];
  }
}

/**
 * A rule over several fields. It is judged as soon as the fields it speaks of are sound, whatever is
 * wrong with others, so that one answer lists every fault.
 */
function rule(faultsOf: (end: AgentEndTaskFields) => RuleFault[], sound: z.ZodType) {
  const check = (end: AgentEndTaskFields, context: z.RefinementCtx): void => {
    for (const { path, message } of faultsOf(end)) {
      context.addIssue({ code: "custom", path, message });
    }
  };
  const when = ({ value }: { value: unknown }): boolean => sound.safeParse(value).success;
  return [check, { when }] as const;
}

const soundReason = z.looseObject({
  reason: endReasonSchema,
  next_actions: z.looseObject({}).optional(),
});
const soundMetrics = z.looseObject({ execution_metrics: executionMetricsSchema });

/** As it is stored: what was accepted before a rule over several fields came can always be read. */
export const storedEndSchema = agentEndTaskFields;

/** The executor's last word on a task: why it ends, and the facts for the report. */
export const agentEndTaskSchema = agentEndTaskFields
  .superRefine(...rule(faultsOfReason, soundReason))
  .superRefine(...rule(faultsOfMetrics, soundMetrics))
  .meta({ id: "AgentEndTask", title: "End of a task, by its executor" });
export type AgentEndTask = z.infer<typeof agentEndTaskSchema>;
