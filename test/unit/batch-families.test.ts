import { describe, expect, it } from "vitest";

import { itemsOf } from "../../src/dispatch/batch/batch-check.ts";
import { standingOf } from "../../src/dispatch/batch/batch.ts";
import { circleOf, parentsIn, sequenceOf } from "../../src/dispatch/batch/families.ts";
import { taskBatchSchema } from "../../src/protocol/batch.ts";
import { endOf, planOf, recordOf } from "./batch-fixture.ts";

/* One letter an item: a capital is done by its children, "c<P" is a child of P, "x>ab" waits for a and b. */

function batchOf(words: readonly string[], options: Record<string, unknown> = {}) {
  const tasks = words.map((word) => {
    const parent = /<(\w)/.exec(word)?.[1];
    const dependencies = (/>(\w+)/.exec(word)?.[1] ?? "").split("");
    return {
      task_type: "general",
      description: "one task of a batch",
      ...(parent !== undefined && { parent_task_id: parent }),
      ...(/^[A-Z]/.test(word) && { subtasks: { expected: 1 } }),
      ...(dependencies.length > 0 && { parameters: { dependencies } }),
    };
  });
  const batch = taskBatchSchema.parse({
    tasks,
    batch_options: { execution_mode: "dependency_based", ...options },
  });
  const ids = words.map((word) => word.charAt(0));
  return { ids, found: itemsOf(batch, ids, new Map()) };
}

function itemsIn(words: readonly string[], options: Record<string, unknown> = {}) {
  const { found } = batchOf(words, options);
  if (!found.ok) throw new Error(found.refusal.detail);
  return found.value;
}

function aftersIn(...words: string[]): string {
  const items = itemsIn(words, { execution_mode: "sequential" });
  const nameOf = (index: number) => items[index]?.task_id ?? "";
  return items.map(({ task_id, after }) => task_id + after.map(nameOf).join("")).join(" ");
}

function codeOf(...words: string[]): string | null {
  const { found } = batchOf(words);
  return found.ok ? null : `${found.refusal.code} ${found.refusal.errors?.[0]?.pointer}`;
}

describe("the families of a batch", () => {
  it.each([
    [["P", "c<P", "d<P", "x"], "P c dc xdP"],
    [["a", "P", "c<P", "d<P"], "a P ca dc"],
    [["c<P", "a", "P"], "c ac P"],
    [["P", "c<P", "a", "d<P"], "P c ac da"],
    [["P", "Q<P", "c<Q", "x"], "P Q c xcQP"],
    [["a", "P", "x"], "a Pa xP"],
    [["a", "p", "c<p"], "a pa ca"],
  ])("take their turn in mode sequential: %j", (words, afters) => {
    expect(aftersIn(...words)).toBe(afters);
  });

  it("have no turn when nobody has a parent but the one before", () => {
    expect(sequenceOf(itemsIn(["a", "b", "c"]))).toEqual([[], [0], [1]]);
  });

  it.each([
    [["P>c", "c<P"], "dependency_cycle /tasks/0/parameters/dependencies"],
    [["P", "c<P>P"], "dependency_cycle /tasks/0"],
    [["A<B", "B<A"], "dependency_cycle /tasks/0/parent_task_id"],
    [["A<A"], "dependency_cycle /tasks/0/parent_task_id"],
    [["P>x", "c<P", "x>c"], "dependency_cycle /tasks/0/parameters/dependencies"],
    [["P", "c<P>x", "x"], null],
    [["P>x", "c<P", "x"], null],
  ])("are no circle in time: %j", (words, code) => {
    expect(codeOf(...words)).toBe(code);
  });

  it("are a circle as people read it", () => {
    expect(circleOf([[1], []], [null, 0])).toEqual([0, 1]);
    expect(circleOf([[], [0]], [null, null])).toBeNull();
    expect(parentsIn(itemsIn(["P", "c<P", "x"]))).toEqual([null, 0, null]);
  });

  it.each([
    // Parents take no place, so that their children get some.
    [["A", "B", "C", "x<A", "y<B", "z<C"], 3, [], "ABCxyz"],
    [["A", "x<A", "y<A"], 1, [], "Ax"],
    // A child comes after its parent, and takes no place before.
    [["c<P", "P>a", "a"], 1, [], "a"],
    [["c<P", "P>a", "a"], 1, [2], "acP"],
  ])("are let go: %j, %i at a time, when %j have ended: %s", (words, most, ended, expected) => {
    const items = itemsIn(words);
    const plan = { ...planOf([], { max_concurrent: most }), items };
    const ends = ended.map((index) => ({ ...endOf(0), task_id: items[index]?.task_id ?? "" }));

    const { released } = standingOf(recordOf(plan, ...ends));

    const names = [...released].map((index) => items[index]?.task_id ?? "");
    expect(names.toSorted().join("")).toBe(expected.split("").toSorted().join(""));
  });
});
