import * as z from "zod";

import { canonicalJson, derivedId, sha256Hex } from "../../lib/ports.ts";
import { assignedTaskSchema } from "../../protocol/agent.ts";
import { Journal } from "../journal.ts";
import type { Deadlines } from "../pace.ts";
import type { Assignment, ExecutorPorts } from "../ports.ts";
import { Session } from "../session.ts";
import type { JsonObject, JsonValue, SkillQuality, SkillTask } from "../skills/skill.ts";
import { noQuestions } from "./effort.ts";
import type { Questions } from "./effort.ts";
import { inputOf, surroundingsOf } from "./surroundings.ts";

const jsonObjectSchema: z.ZodType<JsonObject> = z.record(z.string(), z.json());

/** The same object as plain JSON. @throws ZodError for what is no JSON */
export function plainObject(value: unknown): JsonObject {
  return jsonObjectSchema.parse(value);
}

/** A task as its executor receives it. */
type Task = z.infer<typeof assignedTaskSchema>;

/** One attempt: its task, what it has done and may use. */
export interface Attempt {
  tenant: string;
  task: Task;
  /** What skills and models see of it. */
  asked: SkillTask;
  /** JSON Schema of contract.output_schema; null when there is none. */
  output_schema: JsonObject | null;
  session: Session;
  journal: Journal;
  ports: ExecutorPorts;
  /** Equal for equal questions: SHA-256 of the canonical request without what identifies or schedules it. */
  question: string;
  /** How often each question has been put to a model so far. */
  calls: Map<string, number>;
  questions: Questions;
  /** The same for every attempt of the task, and told to nobody but as a part of idempotency keys. */
  secret: string;
}

/** Something that was made for a task, before anybody judged it. */
export interface Made {
  output: JsonValue;
  summary: string;
  next_steps: string[];
  lessons_learned: string[];
  /** What a skill computed from the facts of its run; null for the answer of a model. */
  measured: SkillQuality | null;
}

/** What an answer to a question of this task was, if it was escalated before. */
function answersIn({ metadata }: Task): unknown {
  return metadata?.["escalation_answers"] ?? null;
}

/**
 * The key of a question: tasks with the same key ask for the same result. What names, places or schedules a task is no
 * part of it; what was answered to its questions is, as is everything that goes to a model.
 */
export function questionKey(task: Task): Promise<string> {
  const { task_type, description, parameters, context, contract, requires } = task;
  const { input_data, configuration, constraints, environment } = parameters ?? {};
  const question = {
    task_type,
    description,
    parameters: { input_data, configuration, constraints, environment },
    context,
    contract: { output_schema: contract?.output_schema, acceptance: contract?.acceptance },
    quality_threshold: task.execution_options.quality_threshold,
    requires,
    answers: answersIn(task),
  };
  return sha256Hex(canonicalJson(question));
}

const NO_DEADLINES: Deadlines = { deadline_at: Infinity, budget_ends_at: null };

/**
 * Begins an attempt with what the last one left in the task's checkpoint.
 *
 * @param text the task as JSON
 * @param until when the task's whole life is over
 */
export async function beginAttempt(
  text: string,
  to: Assignment,
  ports: ExecutorPorts,
  until: Partial<Deadlines> = {},
): Promise<Attempt> {
  const task = assignedTaskSchema.parse(JSON.parse(text));
  const question = await questionKey(task);
  const journal = new Journal(task.checkpoint, question);
  const { parameters, contract } = task;
  const around = surroundingsOf(task);
  const { max_duration_s } = contract?.budget ?? {};
  const pace = { ...task, max_duration_s, ...NO_DEADLINES, ...until };
  return {
    tenant: to.tenant,
    task,
    asked: {
      description: task.description,
      input_data: inputOf(task.task_type, plainObject(parameters?.input_data ?? {}), around),
      configuration: plainObject(parameters?.configuration ?? {}),
      ...(around !== undefined && { around }),
    },
    output_schema:
      contract?.output_schema === undefined ? null : plainObject(contract.output_schema),
    session: new Session(to, ports, { journal, pace }),
    journal,
    ports,
    question,
    calls: new Map(),
    questions: noQuestions(),
    secret: await derivedId(`${to.tenant}/${to.task_id}`),
  };
}
