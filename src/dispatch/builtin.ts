import { BUILTIN_AGENT_ID } from "../protocol/agent.ts";
import { taskTypeSchema } from "../protocol/enums.ts";
import type { TaskType } from "../protocol/enums.ts";
import type { PoolAgent } from "./pool/pool.ts";

/** The pool that it shows itself in; it serves every other one as well. */
export const BUILTIN_POOL = "default";

/** Types of which its own skills do only a part: for the rest it asks for a model, or for whoever has one. */
const PARTLY: readonly TaskType[] = ["code_generation", "code_debugging"];

/** Task types that it does as well as others: it waits its turn for them, instead of leaving them to whoever is there. */
export const BUILTIN_SKILLS: readonly TaskType[] = taskTypeSchema.options.filter(
  (task_type) => !PARTLY.includes(task_type),
);

/**
 * The built-in executor as every pool knows it, unless the configuration switches it off.
 *
 * It takes every task type, because what it lacks is its own task_escalated with what would help, and not a
 * task that waits for ever. Four slots a pool keep one pool from filling the `executions` queue for all.
 */
export const BUILTIN_AGENT: PoolAgent = {
  agent_id: BUILTIN_AGENT_ID,
  capabilities: ["builtin", ...taskTypeSchema.options],
  task_types: [...taskTypeSchema.options],
  labels: {},
  slots: 4,
  weight: 1,
  isBuiltin: true,
  isPush: false,
  isDraining: false,
};
