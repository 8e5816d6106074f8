import type { Outcome } from "../../protocol/kin.ts";
import type { Prerequisite } from "./family.ts";

/** Characters of JSON that one result may have to be carried to another task, and all of them together. */
export const LARGEST_CARRIED = 100_000;
const LARGEST_TOGETHER = 500_000;

/**
 * Which results are small enough to be carried along, in order: one that is too large, alone or with those
 * before it, stays where it is.
 *
 * @param most characters of all results together
 */
export function carried<Item extends { result: unknown }>(
  items: readonly Item[],
  most = LARGEST_TOGETHER,
): { item: Item; isCarried: boolean }[] {
  let together = 0;
  return items.map((item) => {
    const size = JSON.stringify(item.result ?? null).length;
    const isCarried = size <= LARGEST_CARRIED && together + size <= most;
    if (isCarried) together += size;
    return { item, isCarried };
  });
}

/** Outcomes of prerequisites as they reach whoever waited for them; a large result is left out with a note. */
export function prerequisitesOf(outcomes: readonly Outcome[]): Prerequisite[] {
  return carried(outcomes).map(({ item, isCarried }) => ({
    task_id: item.task_id,
    task_type: item.task_type,
    status: item.status,
    completion_status: item.completion_status,
    end_reason: item.end_reason,
    result: isCarried ? item.result : null,
    ...(!isCarried && { note: `too large to be carried; read it at /v1/tasks/${item.task_id}` }),
  }));
}
