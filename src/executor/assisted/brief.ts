import type { Result } from "../../lib/result.ts";
import type { TaskType } from "../../protocol/enums.ts";
import type { CatalogueModel } from "../../protocol/model.ts";
import type { RecalledMemory } from "../memory/memory-port.ts";
import type { ModelAnswer, ModelRequest } from "../models/model-port.ts";
import type { Finding } from "../quality/assessment.ts";
import type { JsonObject, Skill, SkillTask, SkillTools } from "../skills/skill.ts";
import { tokensOf } from "../text-tokens.ts";
import { instructionsFor, manner } from "./instructions.ts";
import { materialOf } from "./material.ts";
import { readAnswer, type AssistedResult } from "./read.ts";
import { answerSchema, shapeOf } from "./shapes.ts";
import { skillTools } from "./tools.ts";

/** What a question to a model is made of. */
export interface BriefParts {
  task: SkillTask;
  task_type: TaskType;
  /** Of contract.output_schema; null when there is none: then the type's own shape is asked for. */
  output_schema: JsonObject | null;
  memories: readonly RecalledMemory[];
  /** What was found wrong with `previous`; empty on a first try. */
  findings: readonly Finding[];
  /** The output that has to be mended, as JSON text; null on a first try. */
  previous: string | null;
  skills: readonly Skill[];
  tools: SkillTools;
  model: CatalogueModel;
}

/** A question to a model, but for what identifies and times it, and how to read its answer. */
export interface ModelBrief {
  request: Pick<
    ModelRequest,
    | "system"
    | "turns"
    | "output_schema"
    | "tools"
    | "max_tool_rounds"
    | "max_output_tokens"
    | "temperature"
  >;
  read(answer: ModelAnswer): Result<AssistedResult, Finding[]>;
}

/** Turns of tools before the answer: a look, a second one after a mistake, and two to spare. */
const MAX_TOOL_ROUNDS = 4;
/** Of the context is kept free, because tokens are estimated and servers add marks of their own. */
const MARGIN = 0.05;
/** At most so much of the context is for the answer, so that a small model can read its question. */
const OUTPUT_SHARE = 0.5;
/** Of the context is left to what tools give back. */
const TOOL_SHARE = 0.2;

/**
 * Puts a task before a model (rows 27, 42): in `system` the executor's own words for the type and nothing else; in one
 * user turn all that came from outside, quoted so that it can't pass for instructions (quoting.ts) and cut to the
 * model's context; as tools the skills, where the model can call tools.
 *
 * The answer is JSON: `{result, summary, next_steps, lessons_learned}`, the result in the contract's schema or in the
 * type's own shape. A model without the capability `json` is told the schema in words. What had to be left out of the
 * question stands in it and in the result's lessons.
 */
export function brief(parts: BriefParts): ModelBrief {
  const { task_type, model } = parts;
  const result = parts.output_schema ?? shapeOf(task_type);
  const schema = answerSchema(result);
  const can = (capability: CatalogueModel["capabilities"][number]): boolean =>
    model.capabilities.includes(capability);
  const tools = can("tools") ? skillTools(parts.skills, task_type, parts.tools) : [];
  const system = instructionsFor(task_type, tools.length > 0);
  const { temperature, output_tokens } = manner(task_type);
  const max_output_tokens = Math.max(
    16,
    Math.min(
      output_tokens,
      model.max_output_tokens,
      Math.floor(OUTPUT_SHARE * model.context_tokens),
    ),
  );
  const fixed = [
    system,
    JSON.stringify(schema),
    ...tools.map(({ name, description, input_schema }) =>
      JSON.stringify({ name, description, input_schema }),
    ),
  ];
  const room =
    model.context_tokens * (1 - MARGIN - (tools.length > 0 ? TOOL_SHARE : 0)) -
    max_output_tokens -
    fixed.reduce((sum, text) => sum + tokensOf(text), 0);
  const material = materialOf(parts, schema, Math.floor(room));
  return {
    request: {
      system,
      turns: [{ role: "user", text: material.text }],
      output_schema: can("json") ? schema : null,
      tools,
      max_tool_rounds: tools.length > 0 ? MAX_TOOL_ROUNDS : 0,
      max_output_tokens,
      temperature,
    },
    read: (answer) => readAnswer(answer, result, material.notes),
  };
}
