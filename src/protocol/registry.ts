import * as z from "zod";

import { keyRequestSchema, keyViewSchema } from "./access.ts";
import { channelAnswerSchema, channelFrameSchema, taskPushSchema } from "./agent-channel.ts";
import { agentEndTaskSchema } from "./agent-end-task.ts";
import {
  agentRegistrationSchema,
  agentViewSchema,
  claimAnswerSchema,
  claimRequestSchema,
  commandRequestSchema,
  commandViewSchema,
  heartbeatAnswerSchema,
  heartbeatSchema,
} from "./agent.ts";
import { batchViewSchema, taskBatchSchema } from "./batch.ts";
import { cleanupDebtViewSchema, debtSettlementSchema } from "./cleanup-debt.ts";
import { memoryRecordSchema, memoryStatementSchema } from "./memory.ts";
import { noteListSchema, noteSchema, noteWriteSchema } from "./notes.ts";
import { notificationSchema } from "./notification.ts";
import { problemSchema } from "./problem.ts";
import { statusRequestSchema } from "./queries.ts";
import { planSchema, requestSchema, requestViewSchema } from "./request.ts";
import {
  sharedContextPatchSchema,
  sharedContextSchema,
  subtaskOfferAnswerSchema,
  subtaskOfferSchema,
  subtaskViewSchema,
} from "./subtasks.ts";
import { declineSchema, taskExecutionSchema } from "./task-execution.ts";
import {
  escalationResolutionSchema,
  escalationSchema,
  explanationSchema,
  reportSchema,
  taskEventSchema,
  taskViewSchema,
} from "./task-view.ts";
import {
  deliveryViewSchema,
  webhookBatchSchema,
  webhookDeliverySchema,
  webhookRegistrationSchema,
  webhookViewSchema,
} from "./webhook.ts";

interface Message {
  schema: z.ZodType;
  /** Whether others send it to us (defaults may be left out) or we to others (they are filled in). */
  direction: "input" | "output";
}

const received = (schema: z.ZodType): Message => ({ schema, direction: "input" });
const sent = (schema: z.ZodType): Message => ({ schema, direction: "output" });

/** The names under which messages are published: at /v1/schemas and as files in schemas/. */
export const messageNameSchema = z.enum([
  "task_execution",
  "task_batch",
  "batch",
  "request",
  "request_view",
  "plan",
  "notification",
  "agent_end_task",
  "webhook_registration",
  "webhook_delivery",
  "webhook_batch",
  "status_request",
  "problem",
  "task",
  "event",
  "report",
  "explanation",
  "command",
  "command_state",
  "escalation",
  "escalation_resolution",
  "cleanup_debt",
  "debt_settlement",
  "agent_registration",
  "agent",
  "claim",
  "claim_answer",
  "task_push",
  "channel_frame",
  "channel_answer",
  "decline",
  "heartbeat",
  "heartbeat_answer",
  "subtask_offer",
  "subtask_offer_answer",
  "subtask_view",
  "shared_context",
  "shared_context_patch",
  "note",
  "note_list",
  "note_write",
  "memory",
  "memory_statement",
  "webhook",
  "delivery",
  "key_request",
  "key",
]);
export type MessageName = z.infer<typeof messageNameSchema>;

/** Every published message and its schema. */
export const MESSAGES: Readonly<Record<MessageName, Message>> = {
  task_execution: received(taskExecutionSchema),
  task_batch: received(taskBatchSchema),
  batch: sent(batchViewSchema),
  request: received(requestSchema),
  request_view: sent(requestViewSchema),
  plan: received(planSchema),
  notification: received(notificationSchema),
  agent_end_task: received(agentEndTaskSchema),
  webhook_registration: received(webhookRegistrationSchema),
  webhook_delivery: sent(webhookDeliverySchema),
  webhook_batch: sent(webhookBatchSchema),
  status_request: received(statusRequestSchema),
  problem: sent(problemSchema),
  task: sent(taskViewSchema),
  event: sent(taskEventSchema),
  report: sent(reportSchema),
  explanation: sent(explanationSchema),
  command: received(commandRequestSchema),
  command_state: sent(commandViewSchema),
  escalation: sent(escalationSchema),
  escalation_resolution: received(escalationResolutionSchema),
  cleanup_debt: sent(cleanupDebtViewSchema),
  debt_settlement: received(debtSettlementSchema),
  agent_registration: received(agentRegistrationSchema),
  agent: sent(agentViewSchema),
  claim: received(claimRequestSchema),
  claim_answer: sent(claimAnswerSchema),
  task_push: sent(taskPushSchema),
  channel_frame: received(channelFrameSchema),
  channel_answer: sent(channelAnswerSchema),
  decline: received(declineSchema),
  heartbeat: received(heartbeatSchema),
  heartbeat_answer: sent(heartbeatAnswerSchema),
  subtask_offer: received(subtaskOfferSchema),
  subtask_offer_answer: sent(subtaskOfferAnswerSchema),
  subtask_view: sent(subtaskViewSchema),
  shared_context: sent(sharedContextSchema),
  shared_context_patch: received(sharedContextPatchSchema),
  note: sent(noteSchema),
  note_list: sent(noteListSchema),
  note_write: received(noteWriteSchema),
  memory: sent(memoryRecordSchema),
  memory_statement: received(memoryStatementSchema),
  webhook: sent(webhookViewSchema),
  delivery: sent(deliveryViewSchema),
  key_request: received(keyRequestSchema),
  key: sent(keyViewSchema),
};

/**
 * The JSON Schema (draft 2020-12) of a message.
 *
 * Relations between fields, such as estimated_duration ≤ timeout, are beyond JSON Schema: a message
 * that satisfies it may still be refused. test/samples names each such case.
 */
export function jsonSchemaOf(name: MessageName): Record<string, unknown> {
  const { schema, direction } = MESSAGES[name];
  return { ...z.toJSONSchema(schema, { io: direction, target: "draft-2020-12" }) };
}
