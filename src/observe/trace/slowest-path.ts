import type { Draft } from "./draft.ts";

/** What the end of a task does not wait for. */
const NOT_WAITED_FOR: readonly Draft["kind"][] = ["delivery", "delivery_attempt"];

/**
 * For how long the end of a parent waited for each of its children, milliseconds.
 *
 * From the parent's end back to its start: what ended last was waited for since it began, before that what had ended
 * last by then, and so on. What lies wholly beside another one kept nobody waiting.
 */
function waitsOf(children: readonly Draft[], from: number, now: number): [Draft, number][] {
  let until = from;
  return children
    .toSorted((a, b) => (b.end ?? now) - (a.end ?? now) || b.start - a.start)
    .map((child) => {
      const waited = Math.max(0, Math.min(child.end ?? now, until) - child.start);
      if (child.start < until) until = child.start;
      return [child, waited];
    });
}

/**
 * Keys of the spans from the root to the leaf that kept the end waiting: of each span's children, the one that its end
 * waited for the longest, until there is none.
 *
 * @param now end of what still goes on, epoch milliseconds
 */
export function slowestPath(drafts: readonly Draft[], now: number): string[] {
  const byParent = Map.groupBy(
    drafts.filter(({ kind }) => !NOT_WAITED_FOR.includes(kind)),
    ({ parent }) => parent,
  );
  const path: string[] = [];
  let at = byParent.get(null)?.[0];
  while (at !== undefined) {
    path.push(at.key);
    const waits = waitsOf(byParent.get(at.key) ?? [], at.end ?? now, now);
    const [longest] = waits.toSorted(([, a], [, b]) => b - a);
    at = longest !== undefined && longest[1] > 0 ? longest[0] : undefined;
  }
  return path;
}
