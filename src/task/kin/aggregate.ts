import { mergePatch } from "../../lib/merge-patch.ts";
import { canonicalJson } from "../../lib/ports.ts";
import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { ChildReport } from "../../protocol/kin.ts";
import type { Subtasks } from "../../protocol/task-execution.ts";
import { valueAt } from "../machine/gates.ts";
import { LARGEST_CARRIED, LARGEST_JOINED, isOmission } from "./carry.ts";

/** What a child contributes. */
export type Contribution = Pick<ChildReport, "task_id" | "result" | "quality">;

/** One result of many, and how good it is. */
export interface Aggregate {
  result: unknown;
  /** In [0, 1]. */
  score: number;
}

const scoreOf = ({ quality }: Contribution): number => quality?.overall_score ?? 0;

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Lists are joined, texts follow each other with a blank line between; anything else becomes a list. */
function concatenated(results: readonly unknown[]): unknown {
  const lists = results.filter((result) => Array.isArray(result));
  if (lists.length === results.length) return lists.flat();
  const texts = results.filter((result) => typeof result === "string");
  return texts.length === results.length ? texts.join("\n\n") : results;
}

/** The first of the greatest, so that ties go to the earlier child. */
function greatest<Item>(items: readonly Item[], valueOf: (item: Item) => number): Item | undefined {
  return items.toSorted((a, b) => valueOf(b) - valueOf(a))[0];
}

function voted(contributions: readonly Contribution[]): Aggregate {
  const camps = new Map<string, Contribution[]>();
  for (const contribution of contributions) {
    const key = canonicalJson(contribution.result ?? null);
    camps.set(key, [...(camps.get(key) ?? []), contribution]);
  }
  const qualityOf = (camp: readonly Contribution[]): number => mean(camp.map(scoreOf));
  // A score is at most 1: it decides between camps of equal size only.
  const [winner, ...rest] =
    greatest([...camps.values()], (camp) => camp.length * 2 + qualityOf(camp)) ?? [];
  if (winner === undefined) return { result: null, score: 0 };
  return { result: winner.result, score: qualityOf([winner, ...rest]) };
}

function reducedNumbers(op: "sum" | "mean" | "min" | "max", numbers: readonly number[]): number {
  switch (op) {
    case "sum":
      return numbers.reduce((sum, number) => sum + number, 0);
    case "mean":
      return mean(numbers);
    case "min":
      return Math.min(...numbers);
    case "max":
      return Math.max(...numbers);
  }
}

function reduced(
  { op, json_path = "$" }: NonNullable<Subtasks["reduce"]>,
  contributions: readonly Contribution[],
): Result<unknown, string> {
  const found = contributions.map(({ task_id, result }) => ({
    task_id,
    value: valueAt(result, json_path),
  }));
  if (op === "merge") {
    const odd = found.find(
      ({ value }) => value === null || typeof value !== "object" || Array.isArray(value),
    );
    return odd === undefined
      ? ok(found.reduce<unknown>((merged, { value }) => mergePatch(merged, value), {}))
      : refuse(`the result of subtask ${odd.task_id} has no object at ${json_path} to merge`);
  }
  const odd = found.find(({ value }) => typeof value !== "number");
  if (odd !== undefined) {
    return refuse(`the result of subtask ${odd.task_id} has no number at ${json_path}`);
  }
  const number = reducedNumbers(
    op,
    found.map(({ value }) => Number(value)),
  );
  return Number.isFinite(number)
    ? ok(number)
    : refuse(`the ${op} of the numbers at ${json_path} is too large for a number`);
}

/** Why nothing can be made of a result that did not come along. */
function omittedFault(aggregation: Subtasks["aggregation"], { task_id }: Contribution): string {
  return `the result of subtask ${task_id} is too large for ${aggregation}: at most ${LARGEST_CARRIED} bytes of JSON each, and ${LARGEST_JOINED} together`;
}

/**
 * Makes one result of what the successful children contribute, in their order.
 *
 * - concat: lists joined, texts with a blank line between, anything else as a list
 * - best: the highest overall_score
 * - vote: what most of them say, ties by the mean score of who says it
 * - reduce: a number from the numbers at json_path, or objects merged in order
 *
 * Ties go to the earlier child. Refused, in words, when there is nothing to reduce, when a sum is no finite
 * number, and when a result is needed that was too large to come along; concat has its address instead.
 */
export function aggregate(
  subtasks: Pick<Subtasks, "aggregation" | "reduce">,
  contributions: readonly Contribution[],
): Result<Aggregate, string> {
  const score = mean(contributions.map(scoreOf));
  const { aggregation } = subtasks;
  const best = greatest(contributions, scoreOf);
  const needed = best === undefined || aggregation !== "best" ? contributions : [best];
  const missing = aggregation === "concat" ? undefined : needed.find(isOmission);
  if (missing !== undefined) return refuse(omittedFault(aggregation, missing));
  switch (aggregation) {
    case "concat":
      return ok({ result: concatenated(contributions.map(({ result }) => result)), score });
    case "best":
      return ok({ result: best?.result ?? null, score: best === undefined ? 0 : scoreOf(best) });
    case "vote":
      return ok(voted(contributions));
    case "reduce": {
      if (subtasks.reduce === undefined) return refuse("reduce does not say how");
      const done = reduced(subtasks.reduce, contributions);
      return done.ok ? ok({ result: done.value, score }) : done;
    }
  }
}
