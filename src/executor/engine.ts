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
import { finish, giveUp, tellTeachers } from "./attempt/say/finish.ts";
import { escalate } from "./attempt/say/tell.ts";
import { beside } from "./beside.ts";
import type { ExecutorPorts } from "./ports.ts";
import type { NoModel } from "./router/router-port.ts";
import { missingCapability } from "./skills/missing-capability.ts";
import { SKILLS } from "./skills/registry.ts";
import type { Skill, SkillFailure } from "./skills/skill.ts";

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
 * Fetching an input takes 15 s at most (input-source.ts), and an attempt has to be announced within its
 * `heartbeat_timeout`: where that is shorter than this, it is announced before its input is there. Seconds.
 */
const LONG_ENOUGH_S = 30;

/** What has to be fetched for a task that works on a table or a text and does not bring it; null when nothing has. */
function addressOf({ task, asked }: Attempt): { url: string; form: "table" | "text" } | null {
  const { url } = asked.input_data;
  const form = FORMS[task.task_type];
  const isThere = CONTENTS.some((name) => asked.input_data[name] !== undefined);
  return form === undefined || isThere || typeof url !== "string" ? null : { url, form };
}

/** The attempt with what its address names in the address's place. Refused when the lease is gone. */
async function withInput(
  attempt: Attempt,
): Promise<Result<Result<Attempt, SkillFailure>, Refusal>> {
  const address = addressOf(attempt);
  if (address === null) return ok(ok(attempt));
  const fetched = await beside(
    attempt.ports.fetchInput(address.url, address.form, attempt.session.signal),
    attempt,
  );
  if (!fetched.ok) return fetched;
  const read = fetched.value;
  if (!read.ok) return ok(read);
  const { asked } = attempt;
  const { url: _address, ...others } = asked.input_data;
  const input_data = { ...others, ...plainObject(read.value) };
  return ok(ok({ ...attempt, asked: { ...asked, input_data } }));
}

function skillOf(task_type: TaskType): Skill | undefined {
  return SKILLS.find((skill) => skill.task_type === task_type);
}

/** The models; null while they can't be read, where the executor's own skill can do the task. @throws otherwise */
async function catalogueOf({ ports, tenant, task }: Attempt, isAble: boolean) {
  try {
    return await ports.models.catalogue(tenant);
  } catch (cause) {
    if (!isAble) throw cause;
    const task_id = task.task_id ?? "";
    ports.log("error", "catalogue_unread", { tenant, task_id, detail: String(cause) });
    return null;
  }
}

/** Who may do the task, and what is remembered where that matters. */
async function fieldOf(attempt: Attempt): Promise<Field> {
  const { task, asked } = attempt;
  const skill = skillOf(task.task_type);
  const lack =
    skill === undefined
      ? missingCapability(task.task_type).root_cause.detail
      : (skill.lack?.(asked) ?? null);
  const known = await catalogueOf(attempt, lack === null);
  const models = known ?? [];
  // What is remembered is put before models; the executor's own skills have no use for it.
  const memories = models.length === 0 ? [] : await recall(attempt);
  return { models, memories, skill, lack, isPartial: known === null };
}

type First = { choice: Choice } | { choice: null; removed: NoModel["removed"] };

/** Who is to do it first; null when nobody can, with the reasons. Without a model nothing is chosen: no row, no call. */
async function firstChoice(attempt: Attempt, field: Field): Promise<First> {
  const { skill, lack, models } = field;
  if (models.length > 0) {
    const chosen = await choose(attempt, field, { round: 1, excluded: [], above_tier: null });
    if (chosen.ok) return { choice: chosen.value };
    const { removed } = chosen.refusal;
    if (skill === undefined || lack !== null) return { choice: null, removed };
  }
  if (skill === undefined || lack !== null) return { choice: null, removed: [] };
  const decision = { decision_id: "", model_id: "", reasons: [], record: {}, band: "low" } as const;
  return { choice: { arm: { kind: "builtin", skill }, decision: { ...decision, reasons: [] } } };
}

/** What an attempt goes by: itself with its input, who may do it, and who is to. */
interface Plan {
  attempt: Attempt;
  field: Field;
  first: First;
  /** Why there is no input; null when it is there. */
  unread: SkillFailure | null;
}

/** Reads the input and chooses by it. Refused when the lease is gone. */
async function planOf(attempt: Attempt): Promise<Result<Plan, Refusal>> {
  const read = await withInput(attempt);
  if (!read.ok) return read;
  const ready = read.value.ok ? read.value.value : attempt;
  const unread = read.value.ok ? null : read.value.refusal;
  const field = await fieldOf(ready);
  const isOver = unread !== null || attempt.session.stop !== null;
  const first: First = isOver ? { choice: null, removed: [] } : await firstChoice(ready, field);
  return ok({ attempt: ready, field, first, unread });
}

function estimateOf({ task, asked }: Attempt, choice: Choice | null): number {
  if (choice?.arm.kind === "model") {
    // Half of the first answers are expected to need a second one.
    const seconds = Math.ceil(1.5 * choice.arm.model.typical_latency_s);
    return Math.min(LONGEST_ESTIMATE_S, Math.max(1, seconds));
  }
  return skillOf(task.task_type)?.estimate(asked.input_data) ?? 1;
}

/** What task_started says of a choice that the selection has made. */
function choiceFacts({ arm, decision }: Choice, field: Field) {
  const { decision_id, model_id: model_selected } = decision;
  const told = arm.kind === "model" ? toldTo(arm.model, field) : [];
  const memory_ids = told.map(({ memory_id }) => memory_id);
  return decision_id === ""
    ? {}
    : {
        model_selected,
        required_resources: { decision_id, memory_ids },
        complexity: decision.band,
      };
}

/** @param plan null where it is made later */
function start(attempt: Attempt, plan: Plan | null) {
  const choice = plan?.first.choice ?? null;
  const estimated_duration = estimateOf(plan?.attempt ?? attempt, choice);
  const isModel = choice?.arm.kind === "model";
  return attempt.session.notify("task_started", {
    task_type: attempt.task.task_type,
    estimated_duration,
    complexity: complexityOf(estimated_duration),
    description: isModel
      ? `Done by the built-in executor with the model ${nameOf(choice)}`
      : "Done by the built-in executor, without a model",
    ...(choice !== null && plan !== null && choiceFacts(choice, plan.field)),
  });
}

/** Asks what to do with a task that nobody here can do. */
function handBack(attempt: Attempt, { skill, lack }: Field, removed: NoModel["removed"]) {
  const missing = missingCapability(attempt.task.task_type, skill === undefined ? null : lack);
  const reasons = removed.map(({ model_id, reason }) => `${model_id}: ${reason}`);
  return escalate(attempt, {
    cause: "missing_capability",
    reason: missing.error_message,
    question:
      "Resume once what is missing is there, change the task into one that can be done, or cancel it?",
    evidence: [missing.root_cause.evidence, ...reasons],
    unblock: missing.recovery_suggestions,
  });
}

/** What of the budget keeps every model away that could do it otherwise; null when it is not the budget. */
function shortageOf(removed: NoModel["removed"]): string | null {
  const short = removed.find(({ filter }) => filter === "budget" || filter === "tokens");
  return short === undefined ? null : `${short.model_id} ${short.reason}`;
}

async function workOn(
  { attempt, field, first, unread }: Plan,
  course: Course,
): Promise<Result<Ending, Refusal> | { handed: NoModel["removed"] }> {
  if (attempt.session.stop !== null) return ok({ kind: "stopped" });
  if (unread !== null) return ok({ kind: "failed", failing: unread });
  if (first.choice !== null) return work(attempt, { field, first: first.choice, course });
  const by = shortageOf(first.removed);
  return by === null ? { handed: first.removed } : ok({ kind: "short", by });
}

/** Announces the attempt, with its plan where there is time to make it before. */
async function announce(
  attempt: Attempt,
  isPlanned: boolean,
): Promise<Result<Plan | null, Refusal>> {
  const plan = isPlanned ? await planOf(attempt) : ok(null);
  if (!plan.ok) return plan;
  const started = await start(attempt, plan.value);
  return started.ok ? plan : started;
}

async function carryOut(plan: Plan): Promise<Result<unknown, Refusal>> {
  const { attempt, field } = plan;
  const course = new Course();
  course.isTransient = field.isPartial;
  const done = await workOn(plan, course);
  if ("handed" in done) return handBack(attempt, field, done.handed);
  const said = await finish(attempt, done, course);
  await tellTeachers(attempt, course);
  return said;
}

async function perform(attempt: Attempt): Promise<Result<unknown, Refusal>> {
  const stored = await storedResult(attempt);
  const isHurried = addressOf(attempt) !== null && attempt.task.heartbeat_timeout < LONG_ENOUGH_S;
  const announced = await announce(attempt, stored === null && !isHurried);
  if (!announced.ok) return announced;
  if (stored !== null) {
    const reused = await completeFrom(attempt, stored);
    if (reused !== null) return reused;
  }
  const plan = announced.value === null ? await planOf(attempt) : ok(announced.value);
  return plan.ok ? carryOut(plan.value) : plan;
}

/**
 * Takes the task of a message and performs it to its end.
 *
 * Not taking it, or losing its lease on the way, is no error: the task's object has decided otherwise. What breaks on the
 * way ends the attempt as failed, to be tried again.
 *
 * @throws what a broken dependency throws before the task is taken, when the message can be repeated; and what keeps even
 * the failure from being told
 */
export async function execute(message: ExecutionMessage, ports: ExecutorPorts): Promise<void> {
  const { tenant, task_id } = message;
  const taken = await ports.take(message);
  if (!taken.ok || taken.value === null) {
    const code = taken.ok ? "not_reserved" : taken.refusal.code;
    ports.log("info", "execution_skipped", { tenant, task_id, code });
    return;
  }
  const { task: text, lease, trace_id: correlation_id, ...deadlines } = taken.value;
  const ids = { tenant, task_id, correlation_id };
  const attempt = await beginAttempt(text, { tenant, task_id, lease }, ports, deadlines);
  try {
    // Whatever is still under way then is told to stop: nobody waits for it any more.
    const done = await perform(attempt).finally(() => attempt.session.close());
    const code = done.ok ? "performed" : done.refusal.code;
    ports.log("info", "execution_done", { ...ids, code, attempt: lease.attempt });
  } catch (cause) {
    ports.log("error", "execution_broken", { ...ids, detail: String(cause) });
    await giveUp(attempt);
  }
}
