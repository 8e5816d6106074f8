import { describe, expect, it } from "vitest";
import * as z from "zod";

import { declaredNames, maskedPointer, placesOf } from "../../src/protocol/declared-names.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";

const shapeSchema = z.union([
  z.strictObject({ kind: z.literal("a"), inner: z.strictObject({ depth: z.int() }) }),
  z.strictObject({ kind: z.literal("b"), labels: z.record(z.string(), z.int()) }),
]);

describe("declared names", () => {
  it("are those of every alternative, at the top and anywhere", () => {
    const { top, all } = declaredNames(shapeSchema);

    expect([...top].toSorted()).toEqual(["inner", "kind", "labels"]);
    expect([...all].toSorted()).toEqual(["depth", "inner", "kind", "labels"]);
    expect(declaredNames(shapeSchema)).toBe(declaredNames(shapeSchema));
  });

  it("of a task have what is deep inside too", () => {
    const { top, all } = declaredNames(taskExecutionSchema);

    expect(top).toContain("execution_options");
    expect(top).not.toContain("retry_policy");
    expect(all).toContain("max_retries");
  });
});

describe("a masked pointer", () => {
  it.each([
    ["/tasks/12/retry", "/tasks/12/retry"],
    ["/labels/bk_secret", "/labels/*"],
    ["/labels/48151623", "/labels/*"],
    ["", ""],
  ])("of %s is %s", (pointer, masked) => {
    expect(maskedPointer(pointer, new Set(["tasks", "retry", "labels"]))).toBe(masked);
  });
});

describe("the places of a fault", () => {
  it("name what was declared, and nothing that somebody chose", () => {
    const schema = z.strictObject({ labels: z.record(z.string(), z.int()) });
    const parsed = schema.safeParse({ labels: { hunter2: "x" }, sesame: 1 });

    const places = parsed.success ? [] : placesOf(schema, parsed.error);

    expect(places).toEqual([
      { pointer: "/labels/*", code: "invalid_type" },
      { pointer: "/", code: "unrecognized_keys" },
    ]);
  });
});
