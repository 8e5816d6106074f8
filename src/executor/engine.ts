import * as z from "zod";

import type { Result } from "../lib/result.ts";
import { ok } from "../lib/result.ts";
import { assignedTaskSchema } from "../protocol/agent.ts";
import type { JsonObject } from "../protocol/primitives.ts";
import type { ExecutionMessage } from "../protocol/queue-messages.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { ExecutorPorts } from "./ports.ts";
import { Session } from "./session.ts";
import { missingCapability } from "./skills/missing-capability.ts";
import { SKILLS } from "./skills/registry.ts";
import type { Skill, SkillFailure, SkillResult, SkillTools } from "./skills/skill.ts";

type Task = z.infer<typeof assignedTaskSchema>;

/** What a run came to: a result, a failure, or a cancellation. */
type Outcome =
  | { kind: "done"; result: SkillResult }
  | { kind: "failed"; failure: SkillFailure }
  | { kind: "cancelled" };

/** Complexity as announced with task_started, by the expected duration in seconds. */
function complexityOf(seconds: number): "low" | "medium" | "high" {
  if (seconds <= 5) return "low";
  return seconds <= 60 ? "medium" : "high";
}

async function inputOf(
  task: Task,
  ports: ExecutorPorts,
): Promise<Result<JsonObject, SkillFailure>> {
  const input = task.parameters?.input_data ?? {};
  const { url } = input;
  return typeof url === "string" && input["csv"] === undefined && input["rows"] === undefined
    ? ports.fetchInput(url)
    : ok(input);
}

/** The skills that there are need none. */
const NO_TOOLS = {} as SkillTools;

/** Runs a skill to its end, reporting each step; a refusal means that the lease is gone. */
async function work(
  session: Session,
  skill: Skill,
  task: Task,
  input: JsonObject,
): Promise<Result<Outcome, Refusal>> {
  const run = skill.run(
    {
      description: task.description,
      input_data: jsonSchema.parse(input),
      configuration: jsonSchema.parse(task.parameters?.configuration ?? {}),
    },
    NO_TOOLS,
  );
  for (let step = await run.next(); ; step = await run.next()) {
    if (step.done === true) {
      return ok(
        step.value.ok
          ? { kind: "done", result: step.value.value }
          : { kind: "failed", failure: step.value.refusal },
      );
    }
    const cancelled = await session.isCancelled();
    if (!cancelled.ok) return cancelled;
    if (cancelled.value) return ok({ kind: "cancelled" });
    const reported = await session.notify("task_progress", step.value);
    if (!reported.ok) return reported;
  }
}

const jsonSchema = z.record(z.string(), z.json());

/** The contract's refusal of a result, as the failure that ends the attempt. */
function rejectedFailure(refusal: Refusal): SkillFailure {
  const findings = (refusal.errors ?? []).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  return {
    error_type: "result_rejected",
    error_message: refusal.detail,
    root_cause: {
      class: "contract",
      detail: "The result does not meet the task's contract",
      evidence: findings.join("; ") || refusal.code,
    },
    recovery_suggestions: ["Relax the contract, or register an executor that meets it"],
    retry_recommended: false,
  };
}

async function fail(session: Session, failure: SkillFailure): Promise<Result<unknown, Refusal>> {
  const told = await session.notify("task_failed", failure);
  if (!told.ok || failure.retry_recommended) return told;
  return session.end({
    reason: "failure",
    error_information: {
      error_code: failure.error_type,
      error_message: failure.error_message,
      recovery_attempted: false,
      recovery_actions: failure.recovery_suggestions,
    },
  });
}

async function complete(session: Session, result: SkillResult): Promise<Result<unknown, Refusal>> {
  const { output, summary, quality, next_steps, lessons_learned } = result;
  const told = await session.notify("task_completed", {
    result: output,
    execution_summary: summary,
    metrics: {
      execution_time: session.elapsedSeconds,
      tokens_used: 0,
      cost: 0,
      quality_score: quality.overall_score,
    },
    quality_assessment: quality,
    next_steps,
    lessons_learned,
  });
  if (!told.ok) {
    return told.refusal.code === "result_rejected"
      ? fail(session, rejectedFailure(told.refusal))
      : told;
  }
  return session.end({
    reason: "success",
    quality_assessment: quality,
    next_actions: { cleanup_required: false, follow_up_tasks: next_steps },
  });
}

async function perform(
  session: Session,
  task: Task,
  ports: ExecutorPorts,
): Promise<Result<unknown, Refusal>> {
  const skill = SKILLS.find(({ task_type }) => task_type === task.task_type);
  const estimate = skill?.estimate(jsonSchema.parse(task.parameters?.input_data ?? {})) ?? 1;
  const started = await session.notify("task_started", {
    task_type: task.task_type,
    estimated_duration: estimate,
    complexity: complexityOf(estimate),
    description: "Done by the built-in executor, without a model",
  });
  if (!started.ok) return started;
  if (skill === undefined) return fail(session, missingCapability(task.task_type));
  const input = await inputOf(task, ports);
  if (!input.ok) return fail(session, input.refusal);
  const outcome = await work(session, skill, task, input.value);
  if (!outcome.ok) return outcome;
  switch (outcome.value.kind) {
    case "done":
      return complete(session, outcome.value.result);
    case "failed":
      return fail(session, outcome.value.failure);
    case "cancelled":
      return session.end({ reason: "cancelled" });
  }
}

/**
 * Takes the task of a message and performs it to its end.
 *
 * Not taking it, or losing its lease on the way, is no error: the task's object has decided otherwise.
 *
 * @throws what a broken dependency throws: the message is repeated, and the task refuses a second taking
 */
export async function execute(message: ExecutionMessage, ports: ExecutorPorts): Promise<void> {
  const { tenant, task_id } = message;
  const taken = await ports.take(message);
  if (!taken.ok || taken.value === null) {
    const code = taken.ok ? "not_reserved" : taken.refusal.code;
    ports.log("info", "execution_skipped", { tenant, task_id, code });
    return;
  }
  const { task: text, lease } = taken.value;
  const task = assignedTaskSchema.parse(JSON.parse(text));
  const done = await perform(new Session({ tenant, task_id, lease }, ports), task, ports);
  const code = done.ok ? "performed" : done.refusal.code;
  ports.log("info", "execution_done", { tenant, task_id, code, attempt: lease.attempt });
}
