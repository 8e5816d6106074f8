import { describe, expect, it } from "vitest";

import { itemsOf, togetherOf } from "../../src/dispatch/batch/batch-check.ts";
import { taskBatchSchema } from "../../src/protocol/batch.ts";

const IDS = ["a", "b", "c"];

/** A batch in which each task names whom it depends on. */
function batchOf(dependencies: readonly string[][], execution_mode = "dependency_based") {
  return taskBatchSchema.parse({
    tasks: dependencies.map((names) => ({
      task_type: "general",
      description: "one task of a batch",
      parameters: { dependencies: names },
    })),
    batch_options: { execution_mode },
  });
}

function afters(dependencies: readonly string[][], mode?: string) {
  const items = itemsOf(batchOf(dependencies, mode), IDS, new Map());
  return items.ok ? items.value.map(({ after }) => after) : items.refusal;
}

describe("the items of a batch", () => {
  it("wait for those of the batch that they depend on, and for nobody else here", () => {
    expect(afters([[], ["a"], ["a", "b", "elsewhere"]])).toEqual([[], [0], [0, 1]]);
    expect(afters([["b"], [], []], "parallel")).toEqual([[1], [], []]);
  });

  it("wait for the one before in mode sequential, and for those they name", () => {
    expect(afters([[], [], ["a"]], "sequential")).toEqual([[], [0], [1, 0]]);
  });

  it("are refused when they wait for each other, naming the circle", () => {
    expect(afters([["c"], ["a"], ["b"]])).toMatchObject({
      code: "dependency_cycle",
      detail: expect.stringContaining("a → c → b → a"),
      errors: [
        { pointer: "/tasks/0/parameters/dependencies" },
        { pointer: "/tasks/2/parameters/dependencies" },
        { pointer: "/tasks/1/parameters/dependencies" },
      ],
    });
  });

  it("can't depend on a later one in mode sequential", () => {
    expect(afters([["b"], [], []], "sequential")).toMatchObject({ code: "dependency_cycle" });
  });

  it("are refused when two of them have one id", () => {
    const refused = itemsOf(batchOf([[], [], []]), ["a", "b", "a"], new Map());

    expect(refused).toMatchObject({
      ok: false,
      refusal: { code: "validation_failed", errors: [{ pointer: "/tasks/2/task_id" }] },
    });
  });
});

describe("refusals of several items", () => {
  it("become one that has every fault with its place", () => {
    const refusal = togetherOf([
      {
        index: 1,
        refusal: {
          code: "dependency_not_found",
          detail: "no x",
          errors: [
            { pointer: "/parameters/dependencies/0", code: "dependency_not_found", detail: "x" },
          ],
        },
      },
      { index: 3, refusal: { code: "parent_refused", detail: "no parent" } },
    ]);

    expect(refusal).toMatchObject({
      code: "dependency_not_found",
      errors: [
        { pointer: "/tasks/1/parameters/dependencies/0", code: "dependency_not_found" },
        { pointer: "/tasks/3", code: "parent_refused", detail: "no parent" },
      ],
    });
    expect(refusal?.detail).toContain("none was created");
    expect(togetherOf([])).toBeNull();
  });
});
