import { ok, refuse } from "../../lib/result.ts";
import type { Result } from "../../lib/result.ts";
import type { TaskBatch } from "../../protocol/batch.ts";
import type { Fault, Refusal, RefusalCode } from "../../protocol/refusal.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";
import { assess } from "../complexity.ts";
import type { TypeHistory } from "../complexity.ts";
import type { BatchItem } from "./batch-record.ts";
import { circleOf, lineOf, parentsIn, sequenceOf } from "./families.ts";

/* What a batch may be refused for as a whole, and what its items are. Pure. */

/** A refusal of one item. */
export interface ItemRefusal {
  index: number;
  refusal: Refusal;
}

/** The circle as people read it: task ids, each waiting for the next. */
function circleText(circle: readonly number[], task_ids: readonly string[]): string {
  return [...circle, ...circle.slice(0, 1)].map((index) => task_ids[index] ?? index).join(" → ");
}

/** The refusal of items that wait for each other in a circle; `pointerTo` names where an item says for whom it waits. */
export function circleRefusal(
  circle: readonly number[],
  task_ids: readonly string[],
  pointerTo: (index: number) => string,
): Refusal {
  const detail = `These wait for each other in a circle: ${circleText(circle, task_ids)}. Take one of the dependencies away.`;
  return {
    code: "dependency_cycle",
    detail,
    errors: circle.map((index) => ({
      pointer: pointerTo(index),
      code: "dependency_cycle",
      detail: `part of ${circleText(circle, task_ids)}`,
    })),
  };
}

/** Refusals of items as one: every fault with its place in the batch. Null when there are none. */
export function togetherOf(refused: readonly ItemRefusal[]): Refusal | null {
  const first = refused[0];
  if (first === undefined) return null;
  const errors = refused.flatMap(({ index, refusal }): Fault[] => {
    const { code, detail, errors: faults = [] } = refusal;
    if (faults.length === 0) return [{ pointer: `/tasks/${index}`, code, detail }];
    return faults.map((fault) => ({ ...fault, pointer: `/tasks/${index}${fault.pointer}` }));
  });
  const codes = new Set<RefusalCode>(refused.map(({ refusal }) => refusal.code));
  const detail = `${refused.length} of the tasks cannot be accepted, so none was created.`;
  const only = refused.length === 1 || codes.size === 1 ? first.refusal.detail : "";
  return { ...first.refusal, detail: `${detail} ${only}`.trim(), errors };
}

/** Task ids that come more than once are refused: which one would others wait for? */
function repeatedIds(task_ids: readonly string[]): Refusal | null {
  const errors = task_ids.flatMap((task_id, index): Fault[] => {
    const first = task_ids.indexOf(task_id);
    if (first === index) return [];
    const detail = `${task_id} is the id of task ${first} of this batch too`;
    return [{ pointer: `/tasks/${index}/task_id`, code: "not_unique", detail }];
  });
  return errors.length === 0
    ? null
    : { code: "validation_failed", detail: "Two tasks of a batch have the same id.", errors };
}

/** The tasks that a task waits for: those it says, and those of its context, whose results it is to use. */
export function namedBy({ parameters, context }: TaskExecution): string[] {
  const previous = context?.previous_tasks ?? [];
  return [
    ...(parameters?.dependencies ?? []),
    ...previous.filter((named) => typeof named === "string"),
  ];
}

/** The items that share a parent outside the batch, by the parent's id; only where there are several. */
export function siblingsIn(
  items: readonly Pick<BatchItem, "task_id" | "task">[],
): Map<string, number[]> {
  const own = new Set(items.map(({ task_id }) => task_id));
  const families = Map.groupBy(items.keys(), (index) => items[index]?.task.parent_task_id ?? "");
  return new Map(
    [...families].filter(
      ([parent, indexes]) => parent !== "" && !own.has(parent) && indexes.length > 1,
    ),
  );
}

/**
 * The items of a batch with settled ids, and for whom each waits.
 *
 * In mode sequential each waits for the one before it, so a dependency on a later one is a circle; a parent ends
 * after its children, and so does whoever comes after it. Refused: validation_failed for an id that comes twice,
 * dependency_cycle.
 */
export function itemsOf(
  { tasks, batch_options }: TaskBatch,
  task_ids: readonly string[],
  history: TypeHistory,
): Result<BatchItem[], Refusal> {
  const repeated = repeatedIds(task_ids);
  if (repeated !== null) return refuse(repeated);
  const places = new Map(task_ids.map((task_id, index) => [task_id, index]));
  const kin = tasks.map((task, index) => ({ task, task_id: task_ids[index] ?? "" }));
  const parents = parentsIn(kin);
  const sequence = batch_options.execution_mode === "sequential" ? sequenceOf(kin) : [];
  const items = kin.map(({ task, task_id }, index): BatchItem => {
    const dependencies = task.parameters?.dependencies ?? [];
    const [, ...ancestors] = lineOf(parents, index);
    // An ancestor in its context is a hint, as it is for a task that comes in alone; it ends after its children.
    const inBatch = namedBy(task).flatMap((named) => {
      const place = places.get(named);
      const isHint = place !== undefined && ancestors.includes(place);
      return place === undefined || (isHint && !dependencies.includes(named)) ? [] : [place];
    });
    const after = [...new Set([...(sequence[index] ?? []), ...inBatch])];
    return { task_id, task, after, approval: null, assessment: assess(task, history) };
  });
  const afters = items.map(({ after }) => after);
  const circle = circleOf(afters, parents);
  if (circle === null) return ok(items);
  return refuse(
    circleRefusal(circle, task_ids, (index) => {
      if ((afters[index] ?? []).length > 0) return `/tasks/${index}/parameters/dependencies`;
      return (parents[index] ?? null) === null
        ? `/tasks/${index}`
        : `/tasks/${index}/parent_task_id`;
    }),
  );
}
