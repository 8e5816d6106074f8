import { codeDebugging } from "./code-debugging.ts";
import { codeGeneration } from "./code-generation.ts";
import { configuration } from "./configuration.ts";
import { dataAnalysis } from "./data-analysis.ts";
import { deployment } from "./deployment.ts";
import { documentation } from "./documentation.ts";
import { general } from "./general.ts";
import { monitoring } from "./monitoring.ts";
import { research } from "./research.ts";
import type { Skill } from "./skill.ts";
import { testing } from "./testing.ts";

/** What the built-in executor does without a model, one skill a task type. */
export const SKILLS: readonly Skill[] = [
  codeDebugging,
  codeGeneration,
  configuration,
  dataAnalysis,
  deployment,
  documentation,
  general,
  monitoring,
  research,
  testing,
];
