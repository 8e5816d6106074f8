import { describe, expect, it } from "vitest";
import { z } from "zod";

import { faultsOf, pointerOf } from "../../src/protocol/faults.ts";
import type { Fault } from "../../src/protocol/refusal.ts";

function faults(schema: z.ZodType, input: unknown): Fault[] {
  const { error } = schema.safeParse(input);
  return error === undefined ? [] : faultsOf(error, input);
}

describe("pointerOf", () => {
  it.each<[(string | number)[], string]>([
    [[], ""],
    [["a", 0, "b"], "/a/0/b"],
    [["a/b", "c~d"], "/a~1b/c~0d"],
    [[""], "/"],
  ])("makes %j a JSON Pointer", (path, pointer) => {
    expect(pointerOf(path)).toBe(pointer);
  });
});

describe("faultsOf", () => {
  it.each<[what: string, schema: z.ZodType, input: unknown, said: object]>([
    ["a type", z.string(), 7, { expected: "string", received: "7" }],
    ["nothing", z.string(), undefined, { expected: "string", received: "nothing" }],
    ["a choice", z.enum(["a", "b"]), "c", { expected: '"a" | "b"', received: '"c"' }],
    ["a least", z.number().min(1), 0, { expected: "at least 1", received: "0" }],
    ["a most", z.number().max(1), 2, { expected: "at most 1", received: "2" }],
    ["an open end", z.number().lt(1), 1, { expected: "less than 1", received: "1" }],
    ["a multiple", z.number().multipleOf(5), 7, { expected: "a multiple of 5", received: "7" }],
    ["a pattern", z.string().regex(/^a$/), "b", { expected: "/^a$/", received: '"b"' }],
    ["a format", z.iso.datetime(), "now", { expected: "datetime", received: '"now"' }],
    ["a list", z.string(), [1, 2], { expected: "string", received: "array of 2" }],
    ["an object", z.string(), {}, { expected: "string", received: "object" }],
    ["a rule", z.string().refine(() => false), "x", { code: "custom", received: '"x"' }],
    ["a long text", z.number(), "x".repeat(90), { received: "string of 92 characters" }],
  ])("says what was expected of %s and what came", (_what, schema, input, said) => {
    expect(faults(schema, input)).toEqual([expect.objectContaining(said)]);
  });

  it("names each unknown field by itself", () => {
    expect(faults(z.strictObject({}), { a: 1, b: 2 }).map(({ pointer }) => pointer)).toEqual([
      "/a",
      "/b",
    ]);
  });

  it("tells the faults of the branch that came nearest", () => {
    const schema = z.union([
      z.strictObject({ base: z.number(), cap: z.number() }),
      z.strictObject({ schedule: z.array(z.number()) }),
    ]);

    expect(faults(schema, { schedule: ["soon"] }).map(({ pointer }) => pointer)).toEqual([
      "/schedule/0",
    ]);
  });

  it("tells what is wrong inside a value rather than that it might have been a text", () => {
    const schema = z.union([z.string(), z.strictObject({ a: z.number(), b: z.number() })]);

    expect(faults(schema, { b: "x" }).map(({ pointer }) => pointer)).toEqual(["/a", "/b"]);
  });

  it.each(["secret", "lease_token", "password", "api_key", "Authorization", "Cookie", "signature"])(
    "names a fault in %s by its type only",
    (name) => {
      const [fault] = faults(z.object({ [name]: z.number() }), { [name]: "hunter2" });

      expect(fault?.received).toBe("string");
    },
  );

  it("hides whatever lies inside a secret or a list of headers", () => {
    const schema = z.object({ headers: z.record(z.string(), z.number()) });

    const [fault] = faults(schema, { headers: { "X-Team": "hunter2" } });

    expect(fault).toMatchObject({ pointer: "/headers/X-Team", received: "string" });
  });

  it.each([
    "whsec_hunter2",
    "bk_hunter2",
    "Bearer hunter2",
    "https://user:hunter2@example.com",
    // A lease token.
    "6KG2DD6PX3FryvHUnZSSSS",
  ])("hides %s under any name", (value) => {
    const [fault] = faults(z.object({ note: z.number() }), { note: value });

    expect(fault?.received).toBe("string");
  });
});
