import * as z from "zod";

/* The closed sets of protocol.md §2. Anything else is refused, and the refusal lists the valid values. */

export const taskTypeSchema = z.enum([
  "code_generation",
  "code_debugging",
  "data_analysis",
  "documentation",
  "testing",
  "deployment",
  "configuration",
  "monitoring",
  "research",
  "general",
]);
export type TaskType = z.infer<typeof taskTypeSchema>;

export const prioritySchema = z.enum(["low", "normal", "high", "critical"]);
export type Priority = z.infer<typeof prioritySchema>;

/** A priority as callers may write it: `urgent` is accepted as critical, and is a deprecated form of versions.ts. */
export const priorityInputSchema = z
  .enum([...prioritySchema.options, "urgent"])
  .transform((priority) => (priority === "urgent" ? "critical" : priority))
  .pipe(prioritySchema);

export const complexitySchema = z.enum(["low", "medium", "high", "critical"]);
export type Complexity = z.infer<typeof complexitySchema>;

export const autonomyLevelSchema = z.enum(["manual", "semi_autonomous", "autonomous"]);

/** What may lead to an escalation instead of an end, where the task asks for it. */
export const escalationTriggerSchema = z.enum([
  "retries_exhausted",
  "queue_timeout",
  "repeated_failure",
]);
export type EscalationTrigger = z.infer<typeof escalationTriggerSchema>;

export const modelPreferenceSchema = z.enum(["local", "api", "hybrid"]);

export const taskStatusSchema = z.enum([
  "pending",
  "running",
  "escalated",
  "completed",
  "failed",
  "cancelled",
]);
export type TaskStatus = z.infer<typeof taskStatusSchema>;

export const taskPhaseSchema = z.enum([
  "waiting_dependencies",
  "awaiting_approval",
  "queued",
  "assigned",
  "executing",
  "awaiting_input",
  "retry_wait",
  "finalizing",
  "ended",
]);
export type TaskPhase = z.infer<typeof taskPhaseSchema>;

/** The five types an executor may send. */
export const executorNotificationTypeSchema = z.enum([
  "task_started",
  "task_progress",
  "task_completed",
  "task_failed",
  "task_escalated",
]);
export type ExecutorNotificationType = z.infer<typeof executorNotificationTypeSchema>;

/** Everything a webhook may announce. */
export const notificationTypeSchema = z.enum([
  ...executorNotificationTypeSchema.options,
  "agent_end_task",
  "agent_status",
  "system_alert",
]);
export type NotificationType = z.infer<typeof notificationTypeSchema>;

/** Facts of the log that do not leave the system as notifications. */
const internalEventTypeSchema = z.enum([
  "task_submitted",
  "task_approved",
  "task_ready",
  "task_routed",
  "task_assigned",
  "task_declined",
  "lease_expired",
  "retry_scheduled",
  "command_issued",
  "command_acknowledged",
  "escalation_resolved",
  "budget_warning",
  "verdict",
  "finalization_phase",
]);

export const eventTypeSchema = z.enum([
  ...notificationTypeSchema.options,
  ...internalEventTypeSchema.options,
]);
export type EventType = z.infer<typeof eventTypeSchema>;

export const endReasonSchema = z.enum([
  "success",
  "failure",
  "timeout",
  "cancelled",
  "escalated",
  "resource_exhausted",
]);
export type EndReason = z.infer<typeof endReasonSchema>;

export const completionStatusSchema = z.enum(["success", "partial", "failure", "cancelled"]);
export type CompletionStatus = z.infer<typeof completionStatusSchema>;

export const commandNameSchema = z.enum([
  "acknowledge",
  "request_update",
  "cancel",
  "retry",
  "pause",
  "resume",
  "set_priority",
  "grant_resources",
  "escalate",
]);
export type CommandName = z.infer<typeof commandNameSchema>;

/** What an executor may be told: `cleanup` comes from the end of a task alone, nobody can order it. */
export const executorCommandSchema = z.enum([...commandNameSchema.options, "cleanup"]);
export type ExecutorCommand = z.infer<typeof executorCommandSchema>;

export const executionModeSchema = z.enum(["sequential", "parallel", "dependency_based"]);

export const eventGroupSchema = z.enum([
  "task_lifecycle",
  "agent_status",
  "system_event",
  "error_event",
  "performance_metric",
  "all",
]);

export const deliveryStateSchema = z.enum([
  "pending",
  "delivering",
  "delivered",
  "retrying",
  "held",
  "exhausted",
  "cancelled",
]);
export type DeliveryState = z.infer<typeof deliveryStateSchema>;

export const severitySchema = z.enum(["info", "warning", "error", "critical"]);
export type Severity = z.infer<typeof severitySchema>;

export const scopeSchema = z.enum(["orchestrate", "execute", "observe", "admin"]);
export type Scope = z.infer<typeof scopeSchema>;

export const endPhaseNameSchema = z.enum(["cleanup", "reporting", "notification"]);
export type EndPhaseName = z.infer<typeof endPhaseNameSchema>;

export const endPhaseOutcomeSchema = z.enum(["done", "fallback", "skipped", "timed_out"]);
