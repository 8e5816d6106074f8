import * as z from "zod";

import {
  commandNameSchema,
  executorCommandSchema,
  prioritySchema,
  taskTypeSchema,
} from "./enums.ts";
import {
  agentIdSchema,
  amountSchema,
  instantSchema,
  jsonObjectSchema,
  moneySchema,
  nameSchema,
  schemaVersionSchema,
  scoreSchema,
} from "./primitives.ts";
import { taskExecutionSchema } from "./task-execution.ts";
import { actorSchema } from "./task-view.ts";

/** The agent_id of the built-in executor (protocol.md §7). Nobody can register under it. */
export const BUILTIN_AGENT_ID = "sam";

const labelsSchema = z
  .record(z.string().min(1).max(100), z.union([z.string().max(200), z.number()]))
  .refine((labels) => Object.keys(labels).length <= 50, "at most 50 labels");

/** A pool named twice would count an executor's slots in it twice. */
const poolsSchema = z
  .array(nameSchema)
  .min(1)
  .max(20)
  .superRefine((pools, context) => {
    for (const [index, name] of pools.entries()) {
      if (pools.indexOf(name) === index) continue;
      context.addIssue({ code: "custom", path: [index], message: "is named before" });
    }
  })
  .meta({ uniqueItems: true });

const agentFields = {
  capabilities: z.array(nameSchema).max(100).default([]),
  task_types: z
    .array(taskTypeSchema)
    .max(10)
    .default([...taskTypeSchema.options])
    .meta({ description: "Task types it performs; all when absent." }),
  labels: labelsSchema.default({}),
  slots: z.int().min(1).max(1_000).default(1).meta({ description: "Tasks it runs at one time." }),
  pools: poolsSchema.default(["default"]),
  url: z.string().min(1).max(2_000).optional().meta({ description: "Where tasks are pushed to." }),
  weight: z.number().min(0.01).max(1_000).default(1),
  version: z.string().max(100).optional(),
};

/** What an executor says of itself when it registers. */
export const agentRegistrationSchema = z
  .strictObject({ schema_version: schemaVersionSchema, ...agentFields })
  .meta({ id: "AgentRegistration", title: "Registration of an executor" });
export type AgentRegistration = z.infer<typeof agentRegistrationSchema>;

const rateSchema = scoreSchema
  .nullable()
  .meta({ description: "Discounted: recent attempts weigh more. Null before the first." });

const figureSchema = z.number().min(0).nullable();

/** What is known of an executor from how its attempts went. */
const agentStatsSchema = z
  .strictObject({
    assigned: z.int().meta({ description: "Tasks it was offered." }),
    released: z.int().meta({ description: "Offers that are over." }),
    completed: z.int(),
    failed: z.int(),
    declined: z.int(),
    lost_leases: z.int(),
    stalled: z.int().meta({ description: "Attempts without progress although it beat." }),
    accept_rate: rateSchema,
    on_time_rate: rateSchema,
    lease_loss_rate: rateSchema,
    success_rate: rateSchema,
    quality: rateSchema,
    per_task_type: z.partialRecord(
      taskTypeSchema,
      z.strictObject({
        success_rate: rateSchema,
        quality: rateSchema,
        duration_s: figureSchema,
        cost_usd: figureSchema,
      }),
    ),
  })
  .meta({ id: "AgentStats", title: "How an executor's attempts went" });
export type AgentStats = z.infer<typeof agentStatsSchema>;

export const agentViewSchema = z
  .strictObject({
    agent_id: agentIdSchema,
    capabilities: z.array(z.string()),
    task_types: z.array(taskTypeSchema),
    labels: z.record(z.string(), z.union([z.string(), z.number()])),
    slots: z.int(),
    pools: z.array(z.string()),
    url: z.string().nullable(),
    weight: z.number(),
    version: z.string().nullable(),
    state: z.enum(["online", "stale", "offline", "draining"]),
    slots_in_use: z.int(),
    last_seen_at: instantSchema.nullable(),
    stats: agentStatsSchema.nullable(),
    secret: z.string().optional().meta({ description: "Shown once, at the first registration." }),
  })
  .meta({ id: "Agent", title: "Executor" });
export type AgentView = z.infer<typeof agentViewSchema>;

export const claimRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    max_tasks: z.int().min(1).max(10).default(1),
    wait_seconds: z.int().min(0).max(25).default(0),
  })
  .meta({ id: "ClaimRequest", title: "Asks for tasks, waiting for some if there are none" });
export type ClaimRequest = z.infer<typeof claimRequestSchema>;

const leaseSchema = z
  .strictObject({
    token: z.string().meta({ description: "Goes into the Lease-Token header of every write." }),
    attempt: z.int().min(1),
    expires_at: instantSchema.meta({ description: "Void after this instant unless renewed." }),
  })
  .meta({ id: "Lease", title: "The timed right to run one attempt" });
export type Lease = z.infer<typeof leaseSchema>;

/** What an executor receives: the request with all defaults, the last checkpoint and the attempt. */
export const assignedTaskSchema = z
  .strictObject({
    ...taskExecutionSchema.shape,
    stall_timeout: taskExecutionSchema.shape.stall_timeout.unwrap(),
    checkpoint: z.unknown().nullable(),
    attempt: z.int().min(1),
  })
  .meta({ id: "AssignedTask", title: "Task as its executor receives it" });

export const claimAnswerSchema = z
  .strictObject({
    tasks: z.array(
      z.strictObject({
        task: assignedTaskSchema,
        lease: leaseSchema,
        traceparent: z.string().optional().meta({
          description:
            "W3C Trace Context: the attempt's span, for the executor's own to hang below.",
        }),
      }),
    ),
  })
  .meta({ id: "ClaimAnswer", title: "Tasks that were assigned" });

const usageSchema = z
  .strictObject({
    cost_usd: moneySchema.optional(),
    tokens: amountSchema.optional(),
  })
  .meta({ id: "Usage", title: "Cumulative use of one attempt" });

/** Commands of a task that are remembered: all of them may be acknowledged at once. */
export const MOST_COMMANDS = 200;

/** The sign of life that renews a lease, brings facts in and commands back. */
export const heartbeatSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    checkpoint: z.union([jsonObjectSchema, z.array(z.unknown()), z.string()]).optional(),
    usage: usageSchema.optional(),
    acknowledged: z.array(z.string().min(1).max(200)).max(MOST_COMMANDS).optional(),
  })
  .meta({ id: "Heartbeat", title: "Sign of life of an executor" });
export type Heartbeat = z.infer<typeof heartbeatSchema>;

const grantSchema = z.strictObject({
  cost_usd: moneySchema.optional(),
  tokens: amountSchema.optional(),
  duration_s: z.int().min(0).max(604_800).optional(),
});

const soundCommand = z.looseObject({ command: commandNameSchema });

/** What an orchestrator or an operator wants a task to do. */
export const commandRequestSchema = z
  .strictObject({
    schema_version: schemaVersionSchema,
    command: commandNameSchema,
    reason: z.string().min(1).max(10_000).optional(),
    priority: z.enum([...prioritySchema.options, "urgent"]).optional(),
    grant: grantSchema.optional(),
    patch: jsonObjectSchema.optional(),
  })
  .superRefine(
    (request, context) => {
      const needs = { set_priority: "priority", grant_resources: "grant" } as const;
      for (const [command, field] of Object.entries(needs)) {
        const given = request[field] !== undefined;
        if (request.command === command && !given) {
          context.addIssue({ code: "custom", path: [field], message: `is required by ${command}` });
        }
        if (request.command !== command && given) {
          context.addIssue({
            code: "custom",
            path: [field],
            message: `belongs to ${command} only`,
          });
        }
      }
      if (request.patch !== undefined && request.command !== "retry") {
        context.addIssue({ code: "custom", path: ["patch"], message: "belongs to retry only" });
      }
    },
    // Judged whatever is wrong with other fields, so that one answer lists every fault.
    { when: ({ value }) => soundCommand.safeParse(value).success },
  )
  .meta({ id: "CommandRequest", title: "Command to a task" });
export type CommandRequest = z.infer<typeof commandRequestSchema>;

export const commandViewSchema = z
  .strictObject({
    command_id: z.string(),
    command: executorCommandSchema,
    state: z.enum(["requested", "acknowledged", "confirmed", "rejected", "unresponsive"]),
    requested_at: instantSchema,
  })
  .meta({ id: "Command", title: "A command and how far it has come" });
export type CommandView = z.infer<typeof commandViewSchema>;

/** A command as the list of a task shows it: who gave it and why, and what its settlement cost. */
export const commandEntrySchema = commandViewSchema
  .extend({
    reason: z.string().nullable(),
    actor: actorSchema,
    spent_since: z
      .strictObject({ cost_usd: z.number(), tokens: z.int(), duration_s: z.number() })
      .nullable()
      .meta({
        description: "Of a settled cancellation: reported use between the request and its end.",
      }),
  })
  .meta({ id: "CommandEntry", title: "A command, who gave it and what came of it" });
export type CommandEntry = z.infer<typeof commandEntrySchema>;

const openCommandSchema = z
  .strictObject({
    command_id: z.string(),
    command: executorCommandSchema,
    reason: z.string().nullable(),
    action: z
      .union([z.string(), jsonObjectSchema])
      .optional()
      .meta({ description: "Of a cleanup: one of the cleanup_actions as it was sent." }),
    priority: prioritySchema.optional(),
    grant: grantSchema.optional(),
  })
  .meta({ id: "OpenCommand", title: "A command the executor has not acknowledged yet" });
export type OpenCommand = z.infer<typeof openCommandSchema>;

export const heartbeatAnswerSchema = z
  .strictObject({ lease: leaseSchema, commands: z.array(openCommandSchema) })
  .meta({ id: "HeartbeatAnswer", title: "The renewed lease and the open commands" });
