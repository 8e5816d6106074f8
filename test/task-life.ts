import type { AgentEndTask } from "../src/protocol/agent-end-task.ts";
import { agentEndTaskSchema } from "../src/protocol/agent-end-task.ts";
import type { CommandRequest } from "../src/protocol/agent.ts";
import { commandRequestSchema } from "../src/protocol/agent.ts";
import type { CommandName, EndReason, ExecutorNotificationType } from "../src/protocol/enums.ts";
import type { Notification } from "../src/protocol/notification.ts";
import { notificationSchema } from "../src/protocol/notification.ts";
import type { JsonObject } from "../src/protocol/primitives.ts";
import { taskExecutionSchema } from "../src/protocol/task-execution.ts";
import type { Actor } from "../src/protocol/task-view.ts";
import { advance } from "../src/task/machine/advance.ts";
import type { Advance } from "../src/task/machine/advance.ts";
import type { Command } from "../src/task/machine/commands.ts";
import type { LoggedEvent, Origin, SettledTask, TaskState } from "../src/task/machine/state.ts";

/** The instant at which the tasks of these tests come in, epoch milliseconds. */
export const START = Date.parse("2026-11-22T10:00:00.000Z");

/** Who submits and commands. */
export const ORCHESTRATOR: Actor = { kind: "orchestrator", id: "manus" };

/** The first escalation of the task. */
export const ESCALATION = "esc_1_task-1";

/** What every task of these tests has in common. */
export const ORIGIN: Origin = {
  tenant: "acme",
  task_id: "task-1",
  uid: "uid1",
  trace_id: "trace-1",
  body_hash: "hash-1",
  submitted_by: "manus",
  is_stall_exact: true,
};

/** A request with all defaults, and what a test says of it. */
export function request(changes: JsonObject = {}): SettledTask {
  const task = taskExecutionSchema.parse({
    task_type: "general",
    description: "Summarise the text",
    ...changes,
  });
  return { ...task, task_id: ORIGIN.task_id };
}

const DATA: Record<ExecutorNotificationType, JsonObject> = {
  task_started: { task_type: "general", estimated_duration: 60, complexity: "low" },
  task_progress: { progress_percentage: 50, current_step: "reading" },
  task_completed: {
    result: { answer: 42 },
    execution_summary: "Read and summarised",
    metrics: { execution_time: 5, tokens_used: 100, cost: 0.5, quality_score: 0.9 },
    quality_assessment: { overall_score: 0.9 },
  },
  task_failed: {
    error_type: "bad_input",
    error_message: "The text is empty",
    root_cause: { class: "input", detail: "Nothing to read", evidence: "" },
  },
  task_escalated: {
    escalation_reason: "Two readings are possible",
    escalation_level: "human",
    question: "Which one?",
    urgency: "medium",
  },
};

let sent = 0;

/** A valid notification of an executor, with its own id unless the envelope gives one. */
export function notificationOf(
  type: ExecutorNotificationType,
  data: JsonObject = {},
  envelope: JsonObject = {},
): Notification {
  sent += 1;
  return notificationSchema.parse({
    notification_id: `note-${sent}`,
    notification_type: type,
    task_id: ORIGIN.task_id,
    agent_id: "ann",
    timestamp: new Date(START).toISOString(),
    data: { ...DATA[type], ...data },
    ...envelope,
  });
}

/** A valid agent_end_task. */
export function endOf(reason: EndReason, changes: JsonObject = {}): AgentEndTask {
  return agentEndTaskSchema.parse({
    task_id: ORIGIN.task_id,
    agent_id: "ann",
    reason,
    timestamp: new Date(START).toISOString(),
    quality_assessment: { overall_score: 0.9 },
    ...(reason !== "success" && {
      error_information: { error_code: "E1", error_message: "It went wrong" },
    }),
    ...changes,
  });
}

const ORDER_FIELDS: Partial<Record<CommandName, JsonObject>> = {
  set_priority: { priority: "high" },
  grant_resources: { grant: { duration_s: 60, tokens: 1_000, cost_usd: 1 } },
};

/** A valid request for a command. */
export function orderOf(command: CommandName, changes: JsonObject = {}): CommandRequest {
  return commandRequestSchema.parse({ command, ...ORDER_FIELDS[command], ...changes });
}

type Of<Type extends Command["type"]> = Extract<Command, { type: Type }>;

/* Commands of the machine, the way these tests give them. */

export const submit = (task = request(), body_hash = ORIGIN.body_hash): Of<"submit"> => ({
  type: "submit",
  origin: { ...ORIGIN, body_hash },
  task,
  actor: ORCHESTRATOR,
});
export const assign = (attempt = 1, agent_id = "ann"): Of<"assign"> => ({
  type: "assign",
  agent_id,
  attempt,
  token: `token-${attempt}`,
  decision: { rule: "first_claim" },
});
export const notify = (
  notification: Notification,
  token: string | null = "token-1",
): Of<"notify"> => ({
  type: "notify",
  token,
  notification,
});
export const started = (data: JsonObject = {}, envelope: JsonObject = {}): Of<"notify"> =>
  notify(notificationOf("task_started", data, envelope));
export const progress = (percentage: number, data: JsonObject = {}): Of<"notify"> =>
  notify(notificationOf("task_progress", { progress_percentage: percentage, ...data }));
export const completed = (data: JsonObject = {}): Of<"notify"> =>
  notify(notificationOf("task_completed", data));
export const failed = (data: JsonObject = {}): Of<"notify"> =>
  notify(notificationOf("task_failed", data));
export const escalated = (data: JsonObject = {}, envelope: JsonObject = {}): Of<"notify"> =>
  notify(notificationOf("task_escalated", data, envelope));
export const beat = (more: JsonObject = {}, token: string | null = "token-1"): Of<"heartbeat"> => ({
  type: "heartbeat",
  token,
  beat: { schema_version: "2.0", ...more },
});
export const end = (reason: EndReason, changes: JsonObject = {}): Of<"end"> => ({
  type: "end",
  token: "token-1",
  end: endOf(reason, changes),
});
export const order = (
  command: CommandName,
  changes: JsonObject = {},
  command_id = `cmd-${command}`,
): Of<"order"> => ({
  type: "order",
  command_id,
  request: orderOf(command, changes),
  actor: ORCHESTRATOR,
});
export const resolve = (
  decision: "resume" | "change" | "cancel",
  more: { answer?: string; patch?: JsonObject } = {},
  escalation_id = ESCALATION,
): Of<"resolve"> => ({
  type: "resolve",
  escalation_id,
  resolution: { schema_version: "2.0", decision, ...more },
  actor: ORCHESTRATOR,
});
export const decline = (token: string | null = "token-1"): Of<"decline"> => ({
  type: "decline",
  token,
  reason: "busy",
});
export const tick: Of<"tick"> = { type: "tick" };
export const finish: Of<"finish"> = {
  type: "finish",
  phases: [
    {
      name: "cleanup",
      outcome: "done",
      started_at: new Date(START).toISOString(),
      ended_at: new Date(START).toISOString(),
      attempts: 1,
      checks: [],
    },
  ],
  report: { task_id: ORIGIN.task_id },
};

/** A task in the machine: its state, its log, and the instant up to which it has been lived. */
export interface Life {
  state: TaskState | null;
  log: LoggedEvent[];
  now: number;
}

/** Before the submission. */
export const UNBORN: Life = { state: null, log: [], now: START };

/** Carries out one command at the life's own instant. */
export function step(life: Life, command: Command): { life: Life; done: Advance } {
  const done = advance(life.state, command, life.now);
  return { done, life: { ...life, state: done.state, log: [...life.log, ...done.events] } };
}

/** The same life, so many seconds later; nothing has looked at the clock yet. */
export function later(life: Life, seconds: number): Life {
  return { ...life, now: life.now + seconds * 1_000 };
}

/**
 * A life that goes through some commands at one instant.
 *
 * @throws Error when one of them is refused
 */
export function live(life: Life, ...commands: Command[]): Life {
  return commands.reduce((before, command) => {
    const { life: after, done } = step(before, command);
    if (!done.decision.ok) {
      throw new Error(`${command.type} refused: ${JSON.stringify(done.decision.refusal)}`);
    }
    return after;
  }, life);
}

/** The state of a life that has begun. */
export function stateOf(life: Life): TaskState {
  if (life.state === null) throw new Error("the task was never submitted");
  return life.state;
}

/** The refusal's code, or null when the command was accepted. */
export function refusalOf(done: Advance): string | null {
  return done.decision.ok ? null : done.decision.refusal.code;
}

/** Types of events, in order. */
export function typesOf(events: readonly { type: string }[]): string[] {
  return events.map(({ type }) => type);
}

/** Lives that have come to a phase, each the shortest way. `none` is a task that does not exist. */
export const IN_PHASE = {
  none: () => UNBORN,
  awaiting_approval: (changes: JsonObject = {}) =>
    live(UNBORN, submit(request({ execution_options: { autonomy_level: "manual" }, ...changes }))),
  queued: (changes: JsonObject = {}) => live(UNBORN, submit(request(changes))),
  assigned: (changes: JsonObject = {}) => live(UNBORN, submit(request(changes)), assign()),
  executing: (changes: JsonObject = {}) =>
    live(UNBORN, submit(request(changes)), assign(), started()),
  awaiting_input: (changes: JsonObject = {}) =>
    live(UNBORN, submit(request(changes)), assign(), started(), escalated()),
  retry_wait: (changes: JsonObject = {}) =>
    live(UNBORN, submit(request(changes)), assign(), started(), failed()),
  finalizing: (changes: JsonObject = {}) =>
    live(UNBORN, submit(request(changes)), assign(), started(), completed()),
  ended: (changes: JsonObject = {}) =>
    live(UNBORN, submit(request(changes)), assign(), started(), completed(), finish),
} as const;
