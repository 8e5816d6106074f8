import { codeDebugging } from "./code-debugging.ts";
import { codeGeneration } from "./code-generation.ts";
import { configuration } from "./configuration.ts";
import { dataAnalysis } from "./data-analysis.ts";
import { general } from "./general.ts";
import type { Skill } from "./skill.ts";

/** What the built-in executor does without a model, one skill a task type. */
export const SKILLS: readonly Skill[] = [
  codeDebugging,
  codeGeneration,
  configuration,
  dataAnalysis,
  general,
];
