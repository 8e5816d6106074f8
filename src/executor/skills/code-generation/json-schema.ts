import type { JsonObject, JsonValue } from "../skill.ts";
import type { Model, NumberRules, Shape } from "./shape.ts";

/** A JSON Schema (2020-12) of a model: every definition in `$defs`, the last one at the top. */
export function writeJsonSchema({ definitions }: Model): string {
  const $defs = Object.fromEntries(
    definitions.map(({ name, shape, description }): [string, JsonObject] => [
      name,
      { ...(description === null ? {} : { description }), ...schemaOf(shape) },
    ]),
  );
  const top = definitions.at(-1)?.name ?? "";
  const schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    $ref: `#/$defs/${top}`,
    $defs,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function schemaOf(shape: Shape): JsonObject {
  switch (shape.kind) {
    case "any":
      return {};
    case "never":
      return { not: {} };
    case "null":
    case "boolean":
      return { type: shape.kind };
    case "string":
      return present({
        type: "string",
        format: shape.format,
        pattern: shape.pattern,
        minLength: shape.min === 0 ? null : shape.min,
        maxLength: shape.max,
      });
    case "number":
    case "integer":
      return present({ type: shape.kind, ...boundsOf(shape) });
    case "literals":
      return { enum: shape.values };
    case "list":
      return present({
        type: "array",
        items: schemaOf(shape.item),
        minItems: shape.min === 0 ? null : shape.min,
        maxItems: shape.max,
        uniqueItems: shape.unique ? true : null,
      });
    case "tuple":
      return present({
        type: "array",
        prefixItems: shape.items.map(schemaOf),
        items: shape.rest === null ? false : schemaOf(shape.rest),
        minItems: shape.min === 0 ? null : shape.min,
      });
    case "map":
      return { type: "object", additionalProperties: schemaOf(shape.value) };
    case "union":
      return { [shape.exactly_one ? "oneOf" : "anyOf"]: shape.of.map(schemaOf) };
    case "both":
      return { allOf: shape.of.map(schemaOf) };
    case "ref":
      return { $ref: `#/$defs/${shape.name}` };
    case "object":
      return objectOf(shape);
  }
}

function objectOf({ fields, rest }: Extract<Shape, { kind: "object" }>): JsonObject {
  const properties = fields.map(({ name, shape, description }): [string, JsonObject] => [
    name,
    { ...(description === null ? {} : { description }), ...schemaOf(shape) },
  ]);
  const required = fields.filter(({ is_required }) => is_required).map(({ name }) => name);
  const open = rest === null ? false : rest.kind === "any" ? null : schemaOf(rest);
  return present({
    type: "object",
    properties: Object.fromEntries(properties),
    required: required.length === 0 ? null : required,
    additionalProperties: open,
  });
}

function boundsOf({
  at_least,
  at_most,
  above,
  below,
  multiple_of,
}: NumberRules): Record<string, JsonValue> {
  return {
    minimum: at_least,
    maximum: at_most,
    exclusiveMinimum: above,
    exclusiveMaximum: below,
    multipleOf: multiple_of,
  };
}

/** Without what is null: no keyword here has null as a value. */
function present(schema: Record<string, JsonValue>): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== null));
}
