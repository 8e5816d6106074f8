import type { Request } from "../../protocol/request.ts";
import { taskExecutionSchema } from "../../protocol/task-execution.ts";
import type { Budget, TaskExecution } from "../../protocol/task-execution.ts";
import { longestWay } from "../batch/graph.ts";
import type { Step } from "./find-steps.ts";

/** The longest clock of a task (protocol.md §3), seconds. */
const LONGEST_TOTAL_S = 604_800;

/** The longest attempt of a task (protocol.md §3), seconds. */
const LONGEST_TIMEOUT_S = 86_400;

/** How much of the goal each task of several is told. Characters. */
const GOAL_SHOWN = 2_000;

/** Where the tasks of a plan belong. Instants are epoch milliseconds. */
export interface PlanFrame {
  request: Request;
  request_id: string;
  /** The id of each step's task. */
  task_ids: readonly string[];
  now: number;
  /** Whether somebody is asked before it begins: then nothing starts after a no, whatever the request says. */
  isEscalated: boolean;
}

/** Seconds until the deadline, or null when there is none; negative when it has passed. */
export function secondsLeft({ constraints }: Request, now: number): number | null {
  const { deadline } = constraints;
  return deadline === undefined ? null : Math.floor((Date.parse(deadline) - now) / 1_000);
}

function generationsOf(steps: readonly Pick<Step, "depends_on">[]): number {
  return longestWay(
    steps.map(({ depends_on }) => depends_on),
    () => 1,
  );
}

/**
 * What of a budget can't be shared out among these steps so that each could work and all of them stay within
 * it, in words; empty when all can.
 *
 * @param estimates seconds that each step is thought to take, null when nobody knows
 */
export function shareFaults(
  budget: Budget,
  steps: readonly Pick<Step, "depends_on">[],
  estimates: readonly (number | null)[],
): string[] {
  const { max_tokens = 0, max_duration_s, max_attempts } = budget;
  const count = steps.length;
  const generations = generationsOf(steps);
  const seconds =
    max_duration_s === undefined ? Infinity : Math.floor(max_duration_s / generations);
  const found: [boolean, string][] = [
    [
      max_attempts !== undefined && max_attempts < count,
      `${count} steps need ${count} attempts, and the budget allows ${max_attempts}`,
    ],
    [
      max_tokens > 0 && max_tokens < count,
      `${max_tokens} tokens shared out among ${count} steps leave none for each`,
    ],
    [
      seconds < 1,
      `${generations} steps one after the other need ${generations} s, and the budget allows ${max_duration_s}`,
    ],
    ...estimates.map((estimate, index): [boolean, string] => [
      seconds >= 1 && count > 1 && (estimate ?? 0) > seconds,
      `step ${index + 1} is thought to take ${estimate} s, and its share of the budget is ${seconds} s`,
    ]),
  ];
  return found.flatMap(([isSo, text]) => (isSo ? [text] : []));
}

/**
 * A task's share of what all of them may use: so the sum can't exceed the whole, unless `shareFaults` has said so
 * and somebody has allowed it.
 *
 * What is used up is shared out evenly, wall time along the longest way, depth is the same for each. A task can't be
 * given less than one attempt: fewer attempts than steps are a contradiction, which nothing starts with unasked.
 */
function budgetShare(budget: Budget, steps: readonly Step[]): Budget {
  const count = steps.length;
  const generations = generationsOf(steps);
  const whole = (value: number, least: number) => Math.max(least, Math.floor(value / count));
  const { max_cost_usd, max_tokens, max_children, max_attempts, max_duration_s, max_depth } =
    budget;
  return {
    ...(max_cost_usd !== undefined && { max_cost_usd: max_cost_usd / count }),
    ...(max_tokens !== undefined && { max_tokens: whole(max_tokens, 0) }),
    ...(max_children !== undefined && { max_children: whole(max_children, 0) }),
    ...(max_attempts !== undefined && { max_attempts: whole(max_attempts, 1) }),
    ...(max_duration_s !== undefined && {
      max_duration_s: Math.max(1, Math.floor(max_duration_s / generations)),
    }),
    ...(max_depth !== undefined && { max_depth }),
  };
}

function clocksOf(step: Step, { request, now }: PlanFrame) {
  const left = secondsLeft(request, now);
  const { estimated_duration } = step;
  const timeout =
    step.timeout ??
    (estimated_duration === undefined
      ? undefined
      : Math.min(LONGEST_TIMEOUT_S, Math.max(300, 2 * estimated_duration)));
  return {
    ...(estimated_duration !== undefined && { estimated_duration }),
    ...(timeout !== undefined && { timeout }),
    // A deadline that has passed is a contradiction that somebody is asked about; its task must live till then.
    ...(left !== null && left > 0 && { total_timeout: Math.min(LONGEST_TOTAL_S, left) }),
  };
}

function parametersOf(step: Step, { request, task_ids, isEscalated }: PlanFrame) {
  const input_data =
    step.input_data ?? (step.depends_on.length === 0 ? request.input_data : undefined);
  const on_failed_dependency = isEscalated ? "fail" : request.constraints.on_failed_dependency;
  return {
    ...(input_data !== undefined && { input_data }),
    ...(step.depends_on.length > 0 && {
      dependencies: step.depends_on.map((index) => task_ids[index]),
      ...(on_failed_dependency !== undefined && { on_failed_dependency }),
    }),
  };
}

function contextOf(request: Request, count: number) {
  const memory = count > 1 ? { memory_context: `Goal: ${request.goal.slice(0, GOAL_SHOWN)}` } : {};
  return { ...memory, ...request.context };
}

function optionsOf({ constraints }: Request) {
  const { autonomy_level, quality_threshold, objective } = constraints;
  return {
    ...(autonomy_level !== undefined && { autonomy_level }),
    ...(quality_threshold !== undefined && { quality_threshold }),
    ...(objective !== undefined && { objective }),
  };
}

/** The task of each step, in their order, with all defaults. Prerequisites are named by the ids of their tasks. */
export function tasksOf(steps: readonly Step[], frame: PlanFrame): TaskExecution[] {
  const { request, request_id } = frame;
  const { budget, priority, pool, requires } = request.constraints;
  const share = budget === undefined ? undefined : budgetShare(budget, steps);
  return steps.map((step, index) => {
    const needs = step.requires ?? requires;
    return taskExecutionSchema.parse({
      task_id: frame.task_ids[index],
      task_type: step.task_type,
      description: step.description,
      ...(priority !== undefined && { priority }),
      ...(pool !== undefined && { pool }),
      ...(needs !== undefined && { requires: needs }),
      ...clocksOf(step, frame),
      parameters: parametersOf(step, frame),
      context: contextOf(request, steps.length),
      execution_options: optionsOf(request),
      contract: {
        ...(step.output_schema !== undefined && { output_schema: step.output_schema }),
        ...(share !== undefined && { budget: share }),
      },
      metadata: { ...request.metadata, request_id, step: index },
      tags: request.tags ?? [],
    });
  });
}
