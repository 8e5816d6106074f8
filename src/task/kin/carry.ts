import { canonicalJson } from "../../lib/ports.ts";
import type { Outcome } from "../../protocol/kin.ts";
import type { Prerequisite } from "./family.ts";

/** Bytes of JSON that one result may have to be carried to another task, and all of them together. */
export const LARGEST_CARRIED = 100_000;
const LARGEST_TOGETHER = 500_000;

/**
 * Bytes of all results of children that are made into one: a row of the log holds 2 MB, and the joined result is in it
 * twice, as the task's completion and as its verdict.
 */
export const LARGEST_JOINED = 600_000;

/** Bytes of a result as JSON in UTF-8, as rows and messages hold it. */
function sizeOf(result: unknown): number {
  return new TextEncoder().encode(JSON.stringify(result ?? null)).length;
}

/** What stands for a result that is too large to be carried: where it is. */
export function omitted(task_id: string): { omitted: string } {
  return { omitted: `/v1/tasks/${task_id}` };
}

/** Whether a result is small enough to be carried to another task, were it the only one. */
export function isCarriable(result: unknown): boolean {
  return sizeOf(result) <= LARGEST_CARRIED;
}

/**
 * Which results are small enough to be carried along, in order: one that is too large, alone or with those
 * before it, stays where it is.
 *
 * @param most bytes of all results together
 */
export function carried<Item extends { result: unknown }>(
  items: readonly Item[],
  most = LARGEST_TOGETHER,
): { item: Item; isCarried: boolean }[] {
  let together = 0;
  return items.map((item) => {
    const size = sizeOf(item.result);
    const isCarried = size <= LARGEST_CARRIED && together + size <= most;
    if (isCarried) together += size;
    return { item, isCarried };
  });
}

/** Whether a result did not come along. */
export function isOmission({ task_id, result }: { task_id: string; result: unknown }): boolean {
  return canonicalJson(result ?? null) === canonicalJson(omitted(task_id));
}

/** Outcomes of prerequisites as they reach whoever waited for them; a large result is left out with a note. */
export function prerequisitesOf(outcomes: readonly Outcome[]): Prerequisite[] {
  // One that did not succeed has no result: what it left of its work travels in the same measure.
  const items = outcomes.map((outcome) => ({
    outcome,
    result: outcome.result ?? outcome.partial_results,
  }));
  return carried(items).map(({ item: { outcome }, isCarried }) => ({
    task_id: outcome.task_id,
    task_type: outcome.task_type,
    status: outcome.status,
    completion_status: outcome.completion_status,
    end_reason: outcome.end_reason,
    result: isCarried ? outcome.result : null,
    ...(isCarried &&
      outcome.partial_results !== undefined && { partial_results: outcome.partial_results }),
    ...(!isCarried && { note: `too large to be carried; read it at /v1/tasks/${outcome.task_id}` }),
  }));
}
