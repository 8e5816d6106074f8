import * as z from "zod";

import type { TaskType } from "../../protocol/enums.ts";
import type { ModelTool } from "../models/model-port.ts";
import type {
  JsonObject,
  JsonValue,
  Skill,
  SkillOutcome,
  SkillTask,
  SkillTools,
} from "../skills/skill.ts";
import { madeVisibleIn } from "./quoting.ts";

/** Characters of JSON that a tool gives back: a quarter of a small context. */
const MAX_RESULT = 20_000;
/** Steps of one run; the longest skill has a few hundred. */
const MAX_STEPS = 10_000;

/** Skills that reach out: a model gets them only for tasks that are about that. `deployment` it never gets. */
const REACHING = new Set(["monitoring", "testing"]);
const NEVER = new Set(["deployment"]);

const TAKES: Readonly<Record<string, string>> = {
  data_analysis:
    "Profiles a table: types, statistics, trends, correlations, outliers, ranked findings. input_data: {csv} or {rows}.",
  general:
    "Condenses text to its main sentences and key terms. input_data: {text} or {documents: [{id, text}]}.",
  research:
    "Searches given documents and quotes the passages that answer the question in input_data.",
  documentation: "Writes a Markdown reference from a schema or type declarations in input_data.",
  configuration: "Validates, merges, compares and converts JSON, YAML and TOML in input_data.",
  code_generation: "Writes types and validators from a JSON Schema in input_data.",
  code_debugging: "Reads stack traces and parse errors in input_data.",
  monitoring: "Probes the URLs in input_data and reports states and latencies.",
  testing: "Runs the HTTP and JSON assertions in input_data.",
};

const INPUT_SCHEMA: JsonObject = {
  type: "object",
  required: ["input_data"],
  properties: { input_data: { type: "object" }, configuration: { type: "object" } },
  additionalProperties: false,
};

const record = z.record(z.string(), z.json());
const callSchema = z.object({ input_data: record, configuration: record.default({}) });

function cut(value: JsonValue): JsonValue {
  const text = JSON.stringify(value);
  if (text.length <= MAX_RESULT) return value;
  return {
    is_cut: true,
    note: `The result has ${text.length} characters of JSON; these are the first of them.`,
    // Escapes of a text within a text double quotes and backslashes.
    json: text.slice(0, MAX_RESULT / 2),
  };
}

/** What a skill makes holds texts of documents and servers: they are shown as those of the user turn are. */
function told(outcome: SkillOutcome): JsonValue {
  if (outcome.ok) return cut(madeVisibleIn(outcome.value.output));
  const { error_type, error_message, root_cause, recovery_suggestions } = outcome.refusal;
  const evidence = root_cause.evidence.slice(0, 1_000);
  return madeVisibleIn({ error: { error_type, error_message, evidence, recovery_suggestions } });
}

function failed(error_type: string, error_message: string): JsonValue {
  return { error: { error_type, error_message } };
}

async function runToEnd(skill: Skill, task: SkillTask, tools: SkillTools): Promise<JsonValue> {
  const run = skill.run(task, tools);
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    if (tools.signal.aborted) return failed("aborted", "the task is being stopped");
    // oxlint-disable-next-line no-await-in-loop -- each step follows from the one before
    const step = await run.next();
    if (step.done === true) return told(step.value);
  }
  return failed("too_many_steps", `the skill was stopped after ${MAX_STEPS} steps`);
}

/** A short name of a value: equal values have equal ones. No protection against those who want two alike. */
function nameOf(value: JsonObject): string {
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify(value))
    hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(36);
}

/** The tools of a run within a run: its steps get names of their own in the journal of the task. */
function within(tools: SkillTools, prefix: string): SkillTools {
  return {
    now: () => tools.now(),
    pause: (ms) => tools.pause(ms),
    http: (request) => tools.http(request),
    step: (name, work) => tools.step(`${prefix}:${name}`, work),
    idempotencyKey: (name) => tools.idempotencyKey(`${prefix}:${name}`),
    signal: tools.signal,
  };
}

/**
 * The skills that a model may call while it works on a task of a type.
 *
 * `deployment` is never among them; `monitoring` and `testing`, which send requests (through the tools' `http` and its
 * policy of addresses), only for tasks of their own type. A tool runs its skill to its end and gives back its output in
 * 20,000 characters of JSON at most; refusals and bad arguments are data, for the model to mend.
 */
export function skillTools(
  skills: readonly Skill[],
  task_type: TaskType,
  tools: SkillTools,
): ModelTool[] {
  const counts = new Map<string, number>();
  return skills
    .filter((skill) => !NEVER.has(skill.task_type))
    .filter((skill) => !REACHING.has(skill.task_type) || skill.task_type === task_type)
    .map((skill) => ({
      name: skill.task_type,
      description: TAKES[skill.task_type] ?? `Does ${skill.task_type} tasks without a model.`,
      input_schema: INPUT_SCHEMA,
      run: async (input) => {
        const call = callSchema.safeParse(input);
        if (!call.success)
          return failed("invalid_arguments", z.prettifyError(call.error).slice(0, 1_000));
        const task = { description: `Tool ${skill.task_type}`, ...call.data };
        const lack = skill.lack?.(task) ?? null;
        if (lack !== null) return failed("missing_capability", lack);
        const name = `tool:${skill.task_type}:${nameOf(input)}`;
        const turn = (counts.get(name) ?? 0) + 1;
        counts.set(name, turn);
        return runToEnd(skill, task, within(tools, `${name}:${turn}`));
      },
    }));
}
