import { ok } from "../lib/result.ts";
import type { Result } from "../lib/result.ts";
import type { TaskType } from "../protocol/enums.ts";
import type { ExecutionMessage } from "../protocol/queue-messages.ts";
import type { Refusal } from "../protocol/refusal.ts";
import { beginAttempt, plainObject } from "./attempt/attempt.ts";
import type { Attempt } from "./attempt/attempt.ts";
import { choose, recall, toldTo } from "./attempt/choice.ts";
import type { Choice, Field } from "./attempt/choice.ts";
import { Course, nameOf } from "./attempt/course.ts";
import { completeFrom, storedResult } from "./attempt/reuse.ts";
import { work } from "./attempt/rounds.ts";
import type { Ending } from "./attempt/rounds.ts";
import { finish, tellTeachers } from "./attempt/say/finish.ts";
import { escalate } from "./attempt/say/tell.ts";
import { beside } from "./beside.ts";
import type { ExecutorPorts } from "./ports.ts";
import { missingCapability } from "./skills/missing-capability.ts";
import { SKILLS } from "./skills/registry.ts";
import type { SkillFailure } from "./skills/skill.ts";

/** Complexity as announced with task_started, by the expected duration in seconds. */
function complexityOf(seconds: number): "low" | "medium" | "high" {
  if (seconds <= 5) return "low";
  return seconds <= 60 ? "medium" : "high";
}

/** The longest estimate that task_started may carry. Seconds. */
const LONGEST_ESTIMATE_S = 86_400;

/** How tasks of a type read `input_data.url`; others have addresses of their own to work on. */
const FORMS: Partial<Record<TaskType, "table" | "text">> = {
  data_analysis: "table",
  documentation: "text",
  general: "text",
  research: "text",
};

/** Input that is there needs no address. */
const CONTENTS = ["csv", "rows", "text", "documents", "openapi", "schema", "typescript"];

/**
 * The attempt with the table or text that an address names, where its task works on one and does not bring it. Refused
 * when the lease is gone.
 */
async function withInput(
  attempt: Attempt,
): Promise<Result<Result<Attempt, SkillFailure>, Refusal>> {
  const { task, asked, ports } = attempt;
  const { url } = asked.input_data;
  const form = FORMS[task.task_type];
  const isThere = CONTENTS.some((name) => asked.input_data[name] !== undefined);
  if (form === undefined || isThere || typeof url !== "string") return ok(ok(attempt));
  const fetched = await beside(ports.fetchInput(url, form), attempt);
  if (!fetched.ok) return fetched;
  const read = fetched.value;
  if (!read.ok) return ok(read);
  const input_data = plainObject(read.value);
  return ok(ok({ ...attempt, asked: { ...asked, input_data } }));
}

/** Who may do the task, and what is remembered where that matters. */
async function fieldOf(attempt: Attempt): Promise<Field> {
  const { task, asked, ports, tenant } = attempt;
  const skill = SKILLS.find(({ task_type }) => task_type === task.task_type);
  const lack =
    skill === undefined
      ? missingCapability(task.task_type).root_cause.detail
      : (skill.lack?.(asked) ?? null);
  const models = await ports.models.catalogue(tenant);
  // What is remembered is put before models; the executor's own skills have no use for it.
  const memories = models.length === 0 ? [] : await recall(attempt);
  return { models, memories, skill, lack };
}

/** Who is to do it first; null when nobody can, with the reasons. Without a model nothing is chosen: no row, no call. */
async function firstChoice(
  attempt: Attempt,
  field: Field,
): Promise<{ choice: Choice } | { choice: null; removed: string[] }> {
  const { skill, lack, models } = field;
  if (models.length > 0) {
    const chosen = await choose(attempt, field, { round: 1, excluded: [], above_tier: null });
    if (chosen.ok) return { choice: chosen.value };
    const removed = chosen.refusal.removed.map(({ model_id, reason }) => `${model_id}: ${reason}`);
    if (skill === undefined || lack !== null) return { choice: null, removed };
  }
  if (skill === undefined || lack !== null) return { choice: null, removed: [] };
  const decision = { decision_id: "", model_id: "", reasons: [], record: {}, band: "low" } as const;
  return { choice: { arm: { kind: "builtin", skill }, decision: { ...decision, reasons: [] } } };
}

function estimateOf(attempt: Attempt, { skill }: Field, choice: Choice | null): number {
  if (choice?.arm.kind === "model") {
    // Half of the first answers are expected to need a second one.
    const seconds = Math.ceil(1.5 * choice.arm.model.typical_latency_s);
    return Math.min(LONGEST_ESTIMATE_S, Math.max(1, seconds));
  }
  return skill?.estimate(attempt.asked.input_data) ?? 1;
}

function start(attempt: Attempt, field: Field, choice: Choice | null) {
  const estimated_duration = estimateOf(attempt, field, choice);
  const decided = choice === null || choice.decision.decision_id === "" ? null : choice.decision;
  const isModel = choice?.arm.kind === "model";
  const told = choice?.arm.kind === "model" ? toldTo(choice.arm.model, field) : [];
  return attempt.session.notify("task_started", {
    task_type: attempt.task.task_type,
    estimated_duration,
    complexity: decided?.band ?? complexityOf(estimated_duration),
    description: isModel
      ? `Done by the built-in executor with the model ${nameOf(choice)}`
      : "Done by the built-in executor, without a model",
    ...(decided !== null && {
      model_selected: decided.model_id,
      required_resources: {
        decision_id: decided.decision_id,
        memory_ids: told.map(({ memory_id }) => memory_id),
      },
    }),
  });
}

/** Asks what to do with a task that nobody here can do. */
function handBack(attempt: Attempt, { skill, lack }: Field, removed: readonly string[]) {
  const missing = missingCapability(attempt.task.task_type, skill === undefined ? null : lack);
  return escalate(attempt, {
    reason: missing.error_message,
    evidence: [missing.root_cause.evidence, ...removed],
    unblock: missing.recovery_suggestions,
  });
}

async function workOn(
  attempt: Attempt,
  plan: { field: Field; first: Choice; course: Course },
): Promise<Result<Ending, Refusal>> {
  const ready = await withInput(attempt);
  if (!ready.ok) return ready;
  if (attempt.session.stop !== null) return ok({ kind: "stopped" });
  return ready.value.ok
    ? work(ready.value.value, plan)
    : ok({ kind: "failed", failing: ready.value.refusal });
}

async function perform(attempt: Attempt): Promise<Result<unknown, Refusal>> {
  const stored = await storedResult(attempt);
  const field = await fieldOf(attempt);
  const first = stored === null ? await firstChoice(attempt, field) : null;
  const started = await start(attempt, field, first?.choice ?? null);
  if (!started.ok) return started;
  if (stored !== null) {
    const reused = await completeFrom(attempt, stored);
    if (reused !== null) return reused;
  }
  const { choice, ...lacking } = first ?? (await firstChoice(attempt, field));
  if (choice === null) return handBack(attempt, field, "removed" in lacking ? lacking.removed : []);
  const course = new Course();
  const done = await workOn(attempt, { field, first: choice, course });
  const said = await finish(attempt, done, course);
  await tellTeachers(attempt, course);
  return said;
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
  const attempt = await beginAttempt(text, { tenant, task_id, lease }, ports);
  const done = await perform(attempt);
  const code = done.ok ? "performed" : done.refusal.code;
  ports.log("info", "execution_done", { tenant, task_id, code, attempt: lease.attempt });
}
