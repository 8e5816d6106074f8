import type { Complexity, TaskType } from "../protocol/enums.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { Assessment } from "../task/machine/state.ts";

/** How tasks of one type have done lately; durations are seconds of execution. */
interface TypeRecord {
  runs: number;
  success_rate: number;
  p50_s: number;
  p95_s: number;
}

/** What is known of a tenant's task types; a type without ended tasks is missing. */
export type TypeHistory = ReadonlyMap<TaskType, TypeRecord>;

/** Equal versions give equal scores for equal tasks and histories. */
export const COMPLEXITY_VERSION = "2026-11";

/** The lowest score of each band but the first, from the top. */
const BANDS: readonly [number, Complexity][] = [
  [0.85, "critical"],
  [0.6, "high"],
  [0.3, "medium"],
];

/**
 * What each feature adds when it is at its most. They sum up to 1, so that only a task that is demanding in
 * nearly every respect is critical.
 */
const WEIGHTS = {
  type: 0.2,
  description: 0.15,
  relations: 0.1,
  limits: 0.1,
  contract: 0.1,
  input: 0.1,
  duration: 0.15,
  history: 0.1,
} as const;

/** How much can go wrong with a type: words least, machines that others depend on most. */
const OF_TYPE: Record<TaskType, number> = {
  general: 0.2,
  documentation: 0.25,
  monitoring: 0.3,
  configuration: 0.5,
  research: 0.5,
  testing: 0.5,
  data_analysis: 0.5,
  code_debugging: 0.75,
  code_generation: 0.75,
  deployment: 1,
};

/** Fewer runs than this say nothing of a type. */
const FEWEST_RUNS = 5;

/** Prerequisites and children from which a task is as entangled as can be. */
const MOST_RELATIONS = 10;

/** Limits and conditions from which a task is as constrained as can be. */
const MOST_LIMITS = 8;

/** Acceptance checks, or properties of an output schema, from which a contract is as strict as can be. */
const MOST_CHECKS = 10;

function share(count: number, most: number): number {
  return Math.min(1, count / most);
}

/** Where a value lies between two others, in powers of ten: 0 at the least, 1 at the most. */
function logShare(value: number, least: number, most: number): number {
  if (value <= least) return 0;
  return Math.min(1, Math.log10(value / least) / Math.log10(most / least));
}

function countOf(value: object | undefined): number {
  return Object.values(value ?? {}).filter((inner) => inner !== undefined).length;
}

function relationsOf({ parameters, subtasks }: TaskExecution): number {
  const dependencies = parameters?.dependencies?.length ?? 0;
  return share(dependencies + (subtasks?.expected ?? 0), MOST_RELATIONS);
}

function limitsOf({ parameters, contract, requires, total_timeout }: TaskExecution): number {
  const conditions =
    (requires?.capabilities?.length ?? 0) +
    countOf(requires?.labels) +
    (requires?.agent_id === undefined ? 0 : 1);
  const limits =
    countOf(parameters?.constraints) +
    countOf(contract?.budget) +
    (total_timeout === undefined ? 0 : 1);
  return share(conditions + limits, MOST_LIMITS);
}

/** Half of it is what the result must look like, half what it must satisfy. */
function contractOf({ contract }: TaskExecution): number {
  const properties: unknown = contract?.output_schema?.["properties"];
  const isObject = typeof properties === "object" && properties !== null;
  const form =
    contract?.output_schema === undefined
      ? 0
      : 0.2 + 0.8 * share(isObject ? Object.keys(properties).length : 0, MOST_CHECKS);
  return (form + share(contract?.acceptance?.length ?? 0, MOST_CHECKS)) / 2;
}

/** From 100 characters of JSON to a megabyte, which is all that a request may hold. */
function inputOf({ parameters }: TaskExecution): number {
  const { input_data, configuration } = parameters ?? {};
  const length = [input_data, configuration].reduce(
    (sum, part) => sum + (part === undefined ? 0 : JSON.stringify(part).length),
    0,
  );
  return logShare(length, 100, 1_000_000);
}

/** From ten seconds to a day: what the caller estimates, or else what the type usually takes. */
function durationOf(task: TaskExecution, known: TypeRecord | null): number {
  return logShare(task.estimated_duration ?? known?.p50_s ?? 0, 10, 86_400);
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

/** The band of a score. */
export function bandOf(score: number): Complexity {
  return BANDS.find(([least]) => score >= least)?.[1] ?? "low";
}

/**
 * How complex a task is, from what anyone can see of it and from how its type has done.
 *
 * Each feature is in [0, 1] and given beside the score, which is their weighted sum. Deterministic: no
 * clock, no draw, no model. The caller's own judgement is no feature; it is kept beside this one.
 */
export function assess(task: TaskExecution, history: TypeHistory): Assessment {
  const record = history.get(task.task_type);
  const known = record !== undefined && record.runs >= FEWEST_RUNS ? record : null;
  const features: Record<keyof typeof WEIGHTS, number> = {
    type: OF_TYPE[task.task_type],
    description: logShare(task.description.length, 10, 10_000),
    relations: relationsOf(task),
    limits: limitsOf(task),
    contract: contractOf(task),
    input: inputOf(task),
    duration: durationOf(task, known),
    history: known === null ? 0 : 1 - known.success_rate,
  };
  const score = rounded(
    features.type * WEIGHTS.type +
      features.description * WEIGHTS.description +
      features.relations * WEIGHTS.relations +
      features.limits * WEIGHTS.limits +
      features.contract * WEIGHTS.contract +
      features.input * WEIGHTS.input +
      features.duration * WEIGHTS.duration +
      features.history * WEIGHTS.history,
  );
  return {
    score,
    band: bandOf(score),
    features: Object.fromEntries(
      Object.entries(features).map(([name, value]) => [name, rounded(value)]),
    ),
    version: COMPLEXITY_VERSION,
  };
}
