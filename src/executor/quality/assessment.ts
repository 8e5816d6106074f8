import type { TaskType } from "../../protocol/enums.ts";
import type { JsonObject, JsonValue, SkillQuality } from "../skills/skill.ts";

/** What is judged: an output beside what was asked for. */
export interface QualityQuestion {
  task_type: TaskType;
  description: string;
  input_data: JsonObject;
  configuration: JsonObject;
  /** JSON Schema of contract.output_schema; null when there is none. */
  output_schema: JsonObject | null;
  /** What the task's own contract finds wrong (schema, acceptance checks), judged by the task's rules. */
  contract_faults: readonly { pointer: string; detail: string }[];
  output: JsonValue;
  /** What a skill computed from the facts of its run; null for the answer of a model. */
  measured: SkillQuality | null;
}

/** Something wrong with an output, precise enough to be mended by who made it. */
export interface Finding {
  check: "syntactic" | "semantic" | "domain" | "contract";
  /** A word for machines, such as unbalanced_bracket. */
  code: string;
  /** JSON pointer into the output, with line and column where it is text (`/code:3:14`). */
  location: string;
  detail: string;
  /** A blocking finding keeps the output from being accepted, whatever its score. */
  is_blocking: boolean;
}

export interface Assessment extends SkillQuality {
  findings: Finding[];
  /** Scores of the three looks, each a share in [0, 1]; 1 where there was nothing to look at. */
  parts: { syntactic: number; semantic: number; domain: number };
}
