import type { BatchItem } from "./batch-record.ts";
import { circleIn } from "./graph.ts";

/* Parents and children that come in with one batch, by index. Pure. */

type Kin = Pick<BatchItem, "task_id" | "task">;

/** For each item the one that is its parent; null where none of the batch is. */
type Parents = readonly (number | null)[];

/** For each item the one that is its parent; null where none of the batch is. */
export function parentsIn(items: readonly Kin[]): Parents {
  const places = new Map(items.map(({ task_id }, index) => [task_id, index]));
  return items.map(({ task }) => places.get(task.parent_task_id ?? "") ?? null);
}

/** Whether an executor works on an item itself: then it takes a place, and its turn. */
export function takesPlace({ task }: Pick<BatchItem, "task">): boolean {
  return task.subtasks === undefined;
}

/** An item and its ancestors in the batch, the nearest first. Parents in a circle come once. */
export function lineOf(parents: Parents, index: number): number[] {
  const line = [index];
  for (let next = parents[index] ?? null; next !== null; next = parents[next] ?? null) {
    if (line.includes(next)) break;
    line.push(next);
  }
  return line;
}

/**
 * For whom each item waits in mode sequential: for the last one before it that is over by then, and for its
 * ancestors that are.
 *
 * A parent ends after its children, so that nobody whose place is among them waits for it; and where the children
 * that come along are its only work, these wait in its stead.
 */
export function sequenceOf(items: readonly Kin[]): number[][] {
  const parents = parentsIn(items);
  const lines = items.map((_, index) => lineOf(parents, index));
  const last = items.map((_, index) => index);
  for (const [index, line] of lines.entries()) {
    for (const member of line) last[member] = Math.max(last[member] ?? 0, index);
  }
  return items.map((item, index) => {
    if (!takesPlace(item) && parents.includes(index)) return [];
    const isOver = (other: number): boolean => (last[other] ?? other) < index;
    const before = [...items.keys()].slice(0, index).findLast(isOver);
    return before === undefined ? [] : (lines[before] ?? []).filter(isOver);
  });
}

/**
 * A circle of items that could never all end, or null: a child starts after its parent, and the parent ends after
 * the child.
 *
 * @param afters for each item those that must have ended before it starts
 */
export function circleOf(
  afters: readonly (readonly number[])[],
  parents: Parents,
): number[] | null {
  const start = (index: number): number => 2 * index;
  const end = (index: number): number => 2 * index + 1;
  const graph = afters.flatMap((after, index) => {
    const parent = parents[index] ?? null;
    const children = [...parents.keys()].filter((other) => parents[other] === index);
    return [
      [...after.map(end), ...(parent === null ? [] : [start(parent)])],
      [start(index), ...children.map(end)],
    ];
  });
  const circle = circleIn(graph);
  return circle === null ? null : [...new Set(circle.map((node) => Math.floor(node / 2)))];
}
