import * as z from "zod";

import type { TaskType } from "../../protocol/enums.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";
import type { JsonObject, JsonValue, SkillTask, Surroundings } from "../skills/skill.ts";

const jsonSchema: z.ZodType<JsonValue> = z.json();

/** Members of a result that hold the whole of it as text. */
const WHOLE = ["markdown", "text", "summary_text", "answer", "report"];

/** A shorter text is a name or a word, and nothing to be read. Characters. */
const SHORTEST_TEXT = 20;

/** What a document is read from; input that brings one of them needs no other. */
const OWN = ["text", "documents", "url"];

const previousSchema = z.looseObject({
  task_id: z.string(),
  task_type: z.string().optional(),
  result: jsonSchema.optional(),
});

/** What came with a task beside its input; undefined where nothing did. */
export function surroundingsOf({
  context,
  parameters,
  metadata,
}: Pick<TaskExecution, "context" | "parameters" | "metadata">): Surroundings | undefined {
  const all = {
    escalation_answers: metadata?.["escalation_answers"],
    previous_tasks: context?.previous_tasks,
    memory_context: context?.memory_context,
    user_preferences: context?.user_preferences,
    environment: parameters?.environment,
  };
  const there = Object.entries(all).filter(([, value]) => value !== undefined);
  if (there.length === 0) return undefined;
  return Object.fromEntries(there.map(([name, value]) => [name, jsonSchema.parse(value)]));
}

/** The texts in a result that are long enough to be read. */
function textsIn(value: JsonValue): string[] {
  if (typeof value === "string")
    return value.trim().length >= SHORTEST_TEXT && /\s/.test(value.trim()) ? [value] : [];
  return value === null || typeof value !== "object"
    ? []
    : Object.values(value).flatMap((inner: JsonValue) => textsIn(inner));
}

function textOf(result: JsonValue): string {
  if (typeof result === "string") return result;
  if (result !== null && typeof result === "object" && !Array.isArray(result)) {
    const members = result as JsonObject;
    const name = WHOLE.find((one) => typeof members[one] === "string");
    if (name !== undefined) return textOf(members[name] ?? "");
  }
  return [...new Set(textsIn(result))].join("\n\n");
}

/** What earlier tasks made, as documents that are called by the tasks' ids. */
function documentsOf(previous: JsonValue | undefined): JsonObject[] {
  if (!Array.isArray(previous)) return [];
  return (previous as JsonValue[]).flatMap((one) => {
    const { success, data } = previousSchema.safeParse(one);
    const text = success && data.result !== undefined ? textOf(data.result) : "";
    if (!success || text === "") return [];
    const { task_id: id, task_type: title } = data;
    return [{ id, ...(title !== undefined && { title }), text }];
  });
}

/**
 * The input of a task that works on texts and brings none: what the tasks before it made, as documents. Every other
 * input as it is.
 */
export function inputOf(
  task_type: TaskType,
  input_data: SkillTask["input_data"],
  around: Surroundings | undefined,
): JsonObject {
  const isReader = task_type === "general" || task_type === "research";
  if (!isReader || OWN.some((name) => input_data[name] !== undefined)) return input_data;
  const documents = documentsOf(around?.previous_tasks);
  return documents.length === 0 ? input_data : { ...input_data, documents };
}
