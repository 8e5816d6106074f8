import { describe, expect, it } from "vitest";

import { faultsOf } from "../../src/protocol/faults.ts";
import { MATCH_OPERATORS } from "../../src/protocol/webhook-match.ts";
import { webhookPatchSchema, webhookRegistrationSchema } from "../../src/protocol/webhook.ts";

function faultsIn(match: unknown) {
  const registration = { url: "https://example.com/hook", filters: { match } };
  const { error } = webhookRegistrationSchema.safeParse(registration);
  return error === undefined ? [] : faultsOf(error, registration);
}

const pointersOf = (match: unknown): string[] =>
  faultsIn(match).map(({ pointer }) => pointer.replace("/filters/match", ""));

/** A condition inside so many others. */
function nested(depth: number): unknown {
  return depth === 1 ? { a: 1 } : { $not: nested(depth - 1) };
}

const paths = (count: number): unknown =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, index]));

describe("filters.match", () => {
  it.each([
    ["a bare value", { "data.progress_percentage": 50 }],
    ["null, which is a value", { result: null }],
    ["an array's index in a path", { "data.challenges.0": "heat" }],
    ["a path with an empty part", { "a..b": true }],
    [
      "every operator",
      {
        a: { $eq: 1, $ne: "x", $gt: 1, $gte: "a", $lt: 2, $lte: 2 },
        b: { $in: [1], $nin: [null] },
      },
    ],
    ["existence and a prefix", { a: { $exists: false }, b: { $prefix: "x" } }],
    [
      "conditions joined",
      { $and: [{ a: 1 }, { $or: [{ b: 2 }, { c: 3 }] }], $not: { d: 4 }, e: 5 },
    ],
    ["10 conditions in each other", nested(10)],
    ["99 paths, which make 100 nodes", paths(99)],
    ["a path of 500 characters", { ["p".repeat(500)]: 1 }],
    ["100 values of 1,000 characters", { a: { $in: Array(100).fill("x".repeat(1_000)) } }],
  ])("takes %s", (_what, match) => {
    expect(faultsIn(match)).toEqual([]);
  });

  it.each([
    ["an unknown operator", { a: { $regex: "x" } }, "/a/$regex"],
    ["a field where an operator belongs", { a: { b: 1 } }, "/a/b"],
    ["an unknown operator deep inside", { $or: [{ a: 1 }, { b: { $like: 1 } }] }, "/$or/1/b/$like"],
    ["an unknown way to join", { $nor: [{ a: 1 }] }, "/$nor"],
    ["an operator without a path", { $eq: 1 }, "/$eq"],
    ["nothing", {}, ""],
    ["an empty condition inside", { $not: {} }, "/$not"],
    ["a path that says nothing", { a: {} }, "/a"],
    ["an empty list of conditions", { $and: [] }, "/$and"],
    ["an empty list of values", { a: { $in: [] } }, "/a/$in"],
    ["an empty prefix", { a: { $prefix: "" } }, "/a/$prefix"],
    ["an order of what has none", { a: { $gt: true } }, "/a/$gt"],
    ["a list to be equal to", { a: { $eq: [1] } }, "/a/$eq"],
    ["a path that is empty", { "": 1 }, "/"],
    ["11 conditions in each other", nested(11), "/$not".repeat(10)],
    ["101 nodes", paths(100), ""],
    ["a path of 501 characters", { ["p".repeat(501)]: 1 }, `/${"p".repeat(501)}`],
    ["a text of 1,001 characters", { a: { $prefix: "x".repeat(1_001) } }, "/a/$prefix"],
    ["101 values", { a: { $nin: Array(101).fill(1) } }, "/a/$nin"],
    ["101 conditions", { $or: Array(101).fill({ a: 1 }) }, "/$or"],
  ])("refuses %s, and points at it", (_what, match, pointer) => {
    expect(pointersOf(match)).toContain(pointer);
  });

  it("lists all faults in one answer, whatever their kind", () => {
    const match = { a: { $regex: "x" }, b: { $gt: true }, $nor: 1 };

    expect(pointersOf(match).toSorted()).toEqual(["/$nor", "/a/$regex", "/b/$gt"]);
  });

  it("names the operators that there are to whoever used another", () => {
    const [fault] = faultsIn({ a: { $regex: "x" } });

    for (const operator of MATCH_OPERATORS) expect(fault?.detail).toContain(operator);
  });

  it("is judged the same in a change", () => {
    const change = { filters: { match: { a: { $regex: "x" } } } };

    expect(webhookPatchSchema.safeParse(change).success).toBe(false);
  });
});
