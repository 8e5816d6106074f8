import * as z from "zod";

import { ok } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import { dataBoundsOf, dataBoundsSchema, mayBeShown } from "../../protocol/data-bounds.ts";
import { BUILTIN_MODEL_ID } from "../../protocol/model.ts";
import type { CatalogueModel, ModelCapability } from "../../protocol/model.ts";
import type { RecalledMemory } from "../memory/memory-port.ts";
import { LEAST_ANSWER_TOKENS, payable } from "../models/allowance.ts";
import type { Allowance } from "../models/allowance.ts";
import type { ModelDecision, NoModel } from "../router/router-port.ts";
import type { JsonObject, Skill } from "../skills/skill.ts";
import { tokensOf } from "../text-tokens.ts";
import { allowanceOf } from "./ask/budget.ts";
import type { Attempt } from "./attempt.ts";

/** Tokens of the executor's own instructions and tools, roughly. */
const INSTRUCTION_TOKENS = 1_500;

/** Tokens that an answer is reckoned with before it is asked for, where they can be paid. */
const ANSWER_TOKENS = 2_048;

/** A memory as near as this is of a like task (cosine similarity); what was blamed in it counts against a choice. */
const LIKE_TASK = 0.6;

/** Memories that are put before a model, and the tokens they may take (facts/orchestration.md §4). */
const RECALL = { limit: 8, max_tokens: 1_500 };

/** Who does a task. */
type Arm = { kind: "builtin"; skill: Skill } | { kind: "model"; model: CatalogueModel };

/** An arm and why. */
export interface Choice {
  arm: Arm;
  decision: ModelDecision;
  /** It was made by an attempt before this one, which had its work done by it. */
  isResumed?: true;
}

/** All that the choices of an attempt have in common. */
export interface Field {
  models: readonly CatalogueModel[];
  memories: readonly RecalledMemory[];
  skill: Skill | undefined;
  /** Why the skill can't do it, or that there is none; null when it can. */
  lack: string | null;
  /** Whether the models are missing because they could not be read: what fails without them is worth another try. */
  isPartial: boolean;
}

/** What was tried in this attempt. */
export interface Tried {
  round: number;
  excluded: readonly string[];
  above_tier: number | null;
}

const memorySchema: z.ZodType<RecalledMemory> = z.object({
  memory_id: z.string(),
  kind: z.enum(["outcome", "lesson", "fact"]),
  text: z.string(),
  task_id: z.string().nullable(),
  task_type: z.custom<RecalledMemory["task_type"]>((value) => value === null || isText(value)),
  verdict: z.enum(["success", "failure", "escalated"]).nullable(),
  model_id: z.string().nullable(),
  bounds: dataBoundsSchema.nullable(),
  is_blamed: z.boolean(),
  score: z.number(),
  similarity: z.number(),
});

const decisionSchema = z.object({
  decision_id: z.string(),
  model_id: z.string(),
  band: z.enum(["low", "medium", "high"]),
  reasons: z.array(z.string()),
  record: z.custom<JsonObject>((value) => typeof value === "object" && value !== null),
});

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** What is remembered of like tasks; an attempt that goes on with another's work sees what that one saw. */
export async function recall(attempt: Attempt): Promise<readonly RecalledMemory[]> {
  const { journal, ports, tenant, task } = attempt;
  const before = z.array(memorySchema).safeParse(journal.read("memories"));
  if (before.success) return before.data;
  const { task_type, description: text } = task;
  const bounds = dataBoundsOf(task);
  const memories = await ports.memory.recall(tenant, { text, task_type, bounds, ...RECALL });
  journal.keep(
    "memories",
    memories.map((memory) => ({ ...memory })),
  );
  return memories;
}

/** What may be put before a model: not what comes from a task whose data may not go where it is. */
export function toldTo(
  model: CatalogueModel,
  { memories }: Pick<Field, "memories">,
): readonly RecalledMemory[] {
  return memories.filter(({ bounds }) => bounds === null || mayBeShown(model, bounds));
}

/** Arms whose own work would not do in like tasks of the same type, with what is remembered of it. */
function avoidedBy(
  memories: readonly RecalledMemory[],
  task_type: string,
): { model_id: string; memory_ids: string[] }[] {
  const against = new Map<string, string[]>();
  for (const memory of memories) {
    const { memory_id, model_id, is_blamed, similarity } = memory;
    const isLike = memory.task_type === task_type && similarity >= LIKE_TASK;
    if (model_id === null || !is_blamed || !isLike) continue;
    against.set(model_id, [...(against.get(model_id) ?? []), memory_id]);
  }
  return [...against].map(([model_id, memory_ids]) => ({ model_id, memory_ids }));
}

/**
 * Tokens of the answer that a choice reckons with: as many as the model that can give most for what is left could, so
 * that a short answer is asked for where a long one can't be paid.
 */
function answerTokens(models: readonly CatalogueModel[], input: number, left: Allowance): number {
  const most = models.map((model) => payable(input, { model, left }).most);
  return Math.floor(Math.max(LEAST_ANSWER_TOKENS, Math.min(ANSWER_TOKENS, Math.max(...most))));
}

function questionOf(attempt: Attempt, field: Field, tried: Tried) {
  const { task, asked, session, output_schema } = attempt;
  const { execution_options: options } = task;
  const input = JSON.stringify([asked.input_data, asked.configuration, asked.around]);
  const told = [input, task.description, ...field.memories.map(({ text }) => text)];
  const input_tokens = told.reduce((sum, text) => sum + tokensOf(text), INSTRUCTION_TOKENS);
  const left = allowanceOf(attempt);
  const needs: ModelCapability[] = output_schema === null ? ["text"] : ["text", "json"];
  return {
    decision_id: `${task.task_id ?? ""}-${task.attempt}-${tried.round}`,
    task_id: task.task_id ?? "",
    attempt: task.attempt,
    task_type: task.task_type,
    description: task.description,
    input_characters: input.length,
    complexity: task.complexity ?? null,
    objective: options.objective,
    model_preference: options.model_preference,
    region: dataBoundsOf(task).region,
    needs,
    input_tokens,
    output_tokens: answerTokens(field.models, input_tokens, left),
    budget_usd: left.cost_usd,
    budget_tokens: left.tokens,
    time_left_ms: Math.max(0, session.timeLeftMs),
    is_explorable: options.explorable === true,
    retries_left: Math.max(0, options.retry_policy.max_retries - (task.attempt - 1)),
    builtin_lack: field.lack,
    ...(field.skill !== undefined && { builtin_prior_quality: field.skill.prior_quality }),
    avoided: avoidedBy(field.memories, task.task_type),
    models: field.models,
    ...tried,
  };
}

function armOf({ models, skill, lack }: Field, model_id: string): Arm | null {
  if (model_id === BUILTIN_MODEL_ID) {
    return skill === undefined || lack !== null ? null : { kind: "builtin", skill };
  }
  const model = models.find((known) => known.model_id === model_id);
  return model === undefined ? null : { kind: "model", model };
}

/**
 * Has the router choose who does the task, or gives the choice that an attempt before this one made in its place.
 *
 * @throws Error when the router chooses what was no candidate
 */
export async function choose(
  attempt: Attempt,
  field: Field,
  tried: Tried,
): Promise<Result<Choice, NoModel>> {
  const { journal, ports, tenant } = attempt;
  const { objective, model_preference, explorable } = attempt.task.execution_options;
  // What a choice goes by beside the question itself may have been changed since.
  const entry = `choice:${tried.round}:${JSON.stringify([objective, model_preference, explorable])}`;
  const before = decisionSchema.safeParse(journal.read(entry));
  if (before.success) {
    const arm = armOf(field, before.data.model_id);
    if (arm !== null) return ok({ arm, decision: before.data, isResumed: true });
  }
  const decided = await ports.router.choose(tenant, questionOf(attempt, field, tried));
  if (!decided.ok) return decided;
  const decision = decided.value;
  const arm = armOf(field, decision.model_id);
  if (arm === null) throw new Error(`the router chose ${decision.model_id}, no candidate`);
  journal.keep(entry, { ...decision, record: decision.record });
  return ok({ arm, decision });
}
