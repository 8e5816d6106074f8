import { BUILTIN_AGENT_ID } from "../protocol/agent.ts";
import { taskTypeSchema } from "../protocol/enums.ts";
import type { TaskType } from "../protocol/enums.ts";
import type { PoolAgent } from "./pool/pool.ts";

/** The pool that it shows itself in; it serves every other one as well. */
export const BUILTIN_POOL = "default";

/** Task types that it does; of the others it says what it lacks. */
export const BUILTIN_SKILLS: readonly TaskType[] = ["data_analysis", "general"];

/**
 * The built-in executor as every pool knows it, unless the configuration switches it off.
 *
 * It takes every task type, because the skill it lacks is its own task_failed with a root cause and not a
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
