import { describe, expect, it } from "vitest";

import { outputFaults, schemaFault } from "../../src/task/machine/output-schema.ts";

/** References that double from one to the next: `levels` of them are 2 ** levels steps. */
function doubling(levels: number): Record<string, unknown> {
  const $defs: Record<string, unknown> = { [`d${levels}`]: { type: "string" } };
  for (let level = 0; level < levels; level += 1) {
    const next = { $ref: `#/$defs/d${level + 1}` };
    $defs[`d${level}`] = { allOf: [next, next] };
  }
  return { $defs, $ref: "#/$defs/d0" };
}

describe("an output schema", () => {
  it("is refused when it takes too many steps", () => {
    expect(schemaFault(doubling(10))).toBeNull();

    expect(schemaFault(doubling(40))).toMatchObject({ code: "invalid_schema" });
  });

  it("is given up on a result that makes it too many steps", () => {
    const tree = { items: { anyOf: [{ $ref: "#" }, { $ref: "#" }] }, not: { type: "string" } };
    let result: unknown = "leaf";
    for (let depth = 0; depth < 30; depth += 1) result = [result];

    expect(schemaFault(tree)).toBeNull();
    expect(outputFaults(tree, result)).toMatchObject([{ code: "output_schema" }]);
  });

  it("judges unique items up to a length that it can", () => {
    const schema = { type: "array", uniqueItems: true };
    const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

    expect(outputFaults(schema, numbers(1_000))).toEqual([]);
    expect(outputFaults(schema, [1, 2, 1])).toHaveLength(1);
    expect(outputFaults(schema, numbers(150_000))).toHaveLength(1);
  });

  it("names no more faults than a reader can use", () => {
    const schema = { type: "array", items: { type: "string" } };

    expect(outputFaults(schema, Array(100_000).fill(1))).toHaveLength(100);
  });

  it("takes properties named like keywords", () => {
    const entry = { type: "object", properties: { id: { type: "string" }, $ref: {} } };
    const schema = { ...entry, properties: { ...entry.properties, inner: entry } };

    expect(schemaFault(schema)).toBeNull();
    expect(outputFaults(schema, { id: "a", inner: { id: 1 } })).not.toEqual([]);
    expect(outputFaults(schema, { id: "a", inner: { id: "b" } })).toEqual([]);
  });

  it("is left as it was", () => {
    const schema = doubling(3);
    const before = structuredClone(schema);

    outputFaults(schema, "text");

    expect(schema).toEqual(before);
  });
});
