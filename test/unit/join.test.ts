import { describe, expect, it } from "vitest";

import type { EndReason } from "../../src/protocol/enums.ts";
import type { Subtasks } from "../../src/protocol/task-execution.ts";
import { aggregate } from "../../src/task/kin/aggregate.ts";
import { carried, prerequisitesOf } from "../../src/task/kin/carry.ts";
import { heightOf, weightedProgress } from "../../src/task/kin/family.ts";
import type { Child } from "../../src/task/kin/family.ts";
import { joinOf } from "../../src/task/kin/join.ts";

const NOTHING = { cost_usd: 0, tokens: 0, attempts: 0, children: 0 };

/** A child that ended for a reason, or is open at a percentage. */
function child(how: EndReason | number, weight = 1): Child {
  const isEnded = typeof how !== "number";
  return {
    task_id: "c",
    weight,
    reserved: { cost_usd: null, tokens: null, attempts: null, children: null },
    adopted_at: 0,
    report: {
      task_id: "c",
      task_type: "general",
      phase: isEnded ? "ended" : "executing",
      is_ended: isEnded,
      status: isEnded ? "completed" : "running",
      end_reason: isEnded ? how : null,
      completion_status: null,
      agent_id: null,
      seq: 1,
      percentage: isEnded ? null : how,
      used: NOTHING,
      height: 0,
    },
  };
}

const subtasks = (more: Partial<Subtasks>): Subtasks => ({
  expected: 3,
  join: "all",
  on_failure: "fail",
  aggregation: "concat",
  ...more,
});
const won = child("success");
const lost = child("failure");
const open = child(10);

describe("joining subtasks", () => {
  it.each([
    ["all", {}, [won, won], "open"],
    ["all", {}, [won, won, won], "success"],
    ["all", {}, [lost, open, open], "failure"],
    ["all", { on_failure: "continue" as const }, [won, lost, open], "open"],
    ["all", { on_failure: "continue" as const }, [won, lost, lost], "success"],
    ["all", { on_failure: "continue" as const }, [lost, lost, lost], "failure"],
    ["any", {}, [lost, open], "open"],
    ["any", {}, [won], "success"],
    ["any", {}, [lost, lost, lost], "failure"],
    ["n_of", { n: 2 }, [won, open, open], "open"],
    ["n_of", { n: 2 }, [won, won], "success"],
    ["n_of", { n: 2 }, [lost, lost, open], "failure"],
  ] as const)("by %s %j is decided as soon as it is certain", (join, more, children, kind) => {
    expect(joinOf(subtasks({ join, ...more }), children).kind).toBe(kind);
  });
});

describe("the progress of subtasks", () => {
  it("is their weighted mean; an ended one is done, one that is missing counts with nothing", () => {
    const children = [child(40, 3), child("failure", 1)];

    expect(weightedProgress({ children })).toBe((3 * 40 + 100) / 4);
    expect(weightedProgress({ children }, 3)).toBe((3 * 40 + 100) / 5);
    expect(weightedProgress(null, 2)).toBe(0);
  });

  it("knows how many generations are open below", () => {
    const deep = { ...open, report: open.report && { ...open.report, height: 2 } };

    expect([heightOf(null), heightOf({ children: [won] }), heightOf({ children: [deep] })]).toEqual(
      [0, 0, 3],
    );
  });
});

const made = (result: unknown, overall_score = 0.5, task_id = "c") => ({
  task_id,
  result,
  quality: { overall_score },
});
const by = (
  aggregation: Subtasks["aggregation"],
  ...contributions: ReturnType<typeof made>[]
): unknown => {
  const done = aggregate({ aggregation }, contributions);
  return done.ok ? done.value.result : done.refusal;
};

describe("making one result of many", () => {
  it("joins lists, texts with a blank line, and anything else as a list, in order", () => {
    expect(by("concat", made([1]), made([2, 3]))).toEqual([1, 2, 3]);
    expect(by("concat", made("a"), made("b"))).toBe("a\n\nb");
    expect(by("concat", made("a"), made([1]))).toEqual(["a", [1]]);
  });

  it("takes the best, and of equals the earlier", () => {
    expect(by("best", made("a", 0.7), made("b", 0.9), made("c", 0.9))).toBe("b");
  });

  it("takes what most say, however its fields are ordered, and of equal camps the better one", () => {
    expect(by("vote", made("b", 1), made({ x: 1, y: 2 }, 0), made({ y: 2, x: 1 }, 0))).toEqual({
      x: 1,
      y: 2,
    });
    expect(by("vote", made("a", 0.5), made("b", 0.9))).toBe("b");
    expect(by("vote", made("a", 0.5), made("b", 0.5))).toBe("a");
  });

  it.each([
    ["sum", 6],
    ["mean", 2],
    ["min", 1],
    ["max", 3],
  ] as const)("reduces numbers by %s", (op, expected) => {
    const contributions = [1, 2, 3].map((n) => made({ deep: [{ n }] }));

    const done = aggregate(
      { aggregation: "reduce", reduce: { op, json_path: "deep[0].n" } },
      contributions,
    );

    expect(done).toMatchObject({ value: { result: expected, score: 0.5 } });
  });

  it("refuses a sum that is no finite number", () => {
    for (const op of ["sum", "mean"] as const) {
      const done = aggregate({ aggregation: "reduce", reduce: { op } }, [
        made(Number.MAX_VALUE),
        made(Number.MAX_VALUE),
      ]);

      expect(done).toMatchObject({ refusal: expect.stringContaining("too large for a number") });
    }
  });

  it("makes nothing of results that were too large to come along, but concat has their addresses", () => {
    const omitted = "/v1/tasks/big";
    const large = made({ omitted }, 0.1, "big");
    const reduce = { op: "merge" } as const;

    for (const aggregation of ["vote", "reduce"] as const) {
      expect(aggregate({ aggregation, reduce }, [made({}), large])).toMatchObject({
        refusal: expect.stringMatching(/subtask big .* 100000 /),
      });
    }
    expect(aggregate({ aggregation: "best" }, [made("a"), large])).toMatchObject({
      value: { result: "a" },
    });
    expect(aggregate({ aggregation: "best" }, [made("a", 0), large])).toMatchObject({ ok: false });
    expect(by("concat", made("a"), large)).toEqual(["a", { omitted }]);
    // The same words as a result of its own are nobody's address.
    expect(by("vote", made({ omitted }, 0.5, "small"))).toEqual({ omitted });
  });

  it("merges objects deeply, in order", () => {
    const done = aggregate({ aggregation: "reduce", reduce: { op: "merge" } }, [
      made({ a: { x: 1 }, b: 1 }),
      made({ a: { y: 2 }, b: 2 }),
    ]);

    expect(done).toMatchObject({ value: { result: { a: { x: 1, y: 2 }, b: 2 } } });
  });

  it.each(["sum", "merge"] as const)("says which subtask has nothing to %s", (op) => {
    const done = aggregate({ aggregation: "reduce", reduce: { op, json_path: "n" } }, [
      made({ n: op === "sum" ? 1 : {} }),
      made("nothing", 0.5, "odd-one"),
    ]);

    expect(done).toMatchObject({ ok: false });
    expect(done.ok ? "" : done.refusal).toContain("odd-one");
  });
});

describe("carrying results along", () => {
  it("leaves out what is too large, alone or together with those before it", () => {
    const small = { result: "a".repeat(90_000) };
    const large = { result: "a".repeat(110_000) };

    const all = carried([small, large, small, small, small, small, small]);

    expect(all.map(({ isCarried }) => isCarried)).toEqual([
      true,
      false,
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it("says where a prerequisite's result is that was left out", () => {
    const outcome = {
      task_id: "t1",
      task_type: "general",
      phase: "ended",
      is_ended: true,
      status: "completed",
      end_reason: "success",
      completion_status: "success",
      quality: null,
      agent_id: null,
    } as const;

    const [left, kept] = prerequisitesOf([
      { ...outcome, result: "a".repeat(110_000) },
      { ...outcome, result: 1 },
    ]);

    expect(left).toMatchObject({ result: null, note: expect.stringContaining("/v1/tasks/t1") });
    expect(kept).toMatchObject({ result: 1 });
    expect(kept).not.toHaveProperty("note");
  });
});

describe("what a failed prerequisite left of its work", () => {
  const failed = (partial_results: unknown): Parameters<typeof prerequisitesOf>[0][number] => ({
    task_id: "first",
    task_type: "general",
    phase: "ended",
    is_ended: true,
    status: "failed",
    end_reason: "failure",
    completion_status: "partial",
    result: null,
    partial_results,
    quality: null,
    agent_id: null,
  });

  it("reaches whoever waited for it, unless it is too large", () => {
    expect(prerequisitesOf([failed({ rows: [1] })])).toMatchObject([
      { result: null, partial_results: { rows: [1] } },
    ]);
    const [large] = prerequisitesOf([failed({ text: "x".repeat(100_001) })]);
    expect(large).not.toHaveProperty("partial_results");
    expect(large?.note).toContain("/v1/tasks/first");
  });
});
