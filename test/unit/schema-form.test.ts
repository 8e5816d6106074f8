import { describe, expect, it } from "vitest";

import { schemaFormFaults } from "../../src/protocol/schema-form.ts";

describe("the form of a JSON Schema", () => {
  it("is kept by what the validator reads, and by keywords that it does not know", () => {
    const schema = { type: ["object", "null"], properties: { id: { minimum: 1 } }, "x-note": 1 };

    expect(schemaFormFaults(schema, "/schema")).toEqual([]);
  });

  it.each([
    [{ type: "text" }, "/schema/type"],
    [{ properties: { id: { required: "yes" } } }, "/schema/properties/id/required"],
    [{ anyOf: [] }, "/schema/anyOf"],
  ])("is broken by %j, in its place", (schema, pointer) => {
    expect(schemaFormFaults(schema, "/schema").map((fault) => fault.pointer)).toContain(pointer);
  });
});
