import {
  escapePointer,
  isList,
  isObject,
  pointerParts,
  typeOf,
  valueAt,
} from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import { decoded, impliedType, numberAt, numberRules, textAt, typesOf } from "./keywords.ts";
import { Names, typeName } from "./names.ts";
import { orderModel } from "./order-model.ts";
import { ANY, type Definition, type Field, type Model, type Shape } from "./shape.ts";

const MOST_NODES = 20_000;
const MAX_DEPTH = 60;
/** Keywords that say something the shapes cannot: told, so that nobody takes the result for stricter than it is. */
const UNSAID =
  "not if dependentRequired dependentSchemas dependencies patternProperties propertyNames contains unevaluatedProperties unevaluatedItems minProperties maxProperties $dynamicRef $recursiveRef".split(
    " ",
  );

/**
 * The shapes of a JSON Schema (drafts 4 to 2020-12) or of the schemas of an OpenAPI document, each with a name.
 *
 * Objects with properties get a name of their own: their title, else where they stand. References lead inside the document
 * only. What shapes cannot say is a warning; a definition that is nothing but itself becomes anything.
 *
 * @param roots schemas to begin with, by name; their pointers lead from `document`
 */
export function readSchema(
  document: JsonObject,
  roots: readonly { name: string; pointer: string }[],
): Model {
  const reader = new Reader(document);
  for (const { name, pointer } of roots) reader.define(pointer, name);
  return reader.model();
}

class Reader {
  private readonly document: JsonObject;
  private readonly names = new Names();
  private readonly byPointer = new Map<string, string>();
  private readonly definitions: Definition[] = [];
  private readonly due: { pointer: string; name: string }[] = [];
  private readonly warnings: Model["warnings"] = [];
  private nodes = 0;
  private depth = 0;

  constructor(document: JsonObject) {
    this.document = document;
  }

  /** The name of the schema at a pointer, which is read when all before it are: chains of references cost no depth. */
  define(pointer: string, suggested: string): string {
    const known = this.byPointer.get(pointer);
    if (known !== undefined) return known;
    const title = pointer === "" ? null : textAt(valueAt(this.document, pointer), "title");
    const name = this.names.take(typeName(title ?? suggested));
    this.byPointer.set(pointer, name);
    this.due.push({ pointer, name });
    return name;
  }

  model(): Model {
    for (let next = this.due.shift(); next !== undefined; next = this.due.shift()) {
      const { pointer, name } = next;
      const schema = valueAt(this.document, pointer) ?? true;
      const shape = this.read(schema, pointer, { name, isNamed: true });
      const description = textAt(schema, "description");
      this.definitions.push({ name, pointer, shape, description, is_recursive: false });
    }
    return orderModel(this.definitions, this.warnings);
  }

  private warn(pointer: string, detail: string): Shape {
    if (this.warnings.length < 200) this.warnings.push({ pointer, detail });
    return ANY;
  }

  /** The shape of a schema; a reference to a definition of its own where it is an object with properties. */
  private read(schema: JsonValue, pointer: string, at: { name: string; isNamed: boolean }): Shape {
    if (schema === true) return ANY;
    if (schema === false) return { kind: "never" };
    if (!isObject(schema)) return this.warn(pointer, "A schema must be an object, true or false.");
    this.nodes += 1;
    if (this.nodes > MOST_NODES || this.depth > MAX_DEPTH)
      return this.warn(pointer, "Too large or too deep: anything is taken.");
    if (
      !at.isNamed &&
      isObject(schema["properties"]) &&
      Object.keys(schema["properties"]).length > 0
    ) {
      return { kind: "ref", name: this.define(pointer, at.name) };
    }
    this.depth += 1;
    const shape = this.shape(schema, pointer, at.name);
    this.depth -= 1;
    return schema["nullable"] === true
      ? { kind: "union", of: [shape, { kind: "null" }], exactly_one: false }
      : shape;
  }

  private shape(schema: JsonObject, pointer: string, name: string): Shape {
    for (const keyword of UNSAID) {
      if (schema[keyword] !== undefined)
        this.warn(
          `${pointer}/${escapePointer(keyword)}`,
          `${keyword} is not carried over: the result takes more than the schema.`,
        );
    }
    const parts: Shape[] = [];
    if (typeof schema["$ref"] === "string") parts.push(this.reference(schema["$ref"], pointer));
    parts.push(...this.combined(schema, pointer, name));
    const values = schema["const"] === undefined ? schema["enum"] : [schema["const"]];
    if (isList(values)) parts.push(this.literals(values, schema, pointer));
    else parts.push(...this.typed(schema, pointer, name));
    const [first = ANY, ...others] = parts;
    return others.length === 0 ? first : { kind: "both", of: parts };
  }

  private combined(schema: JsonObject, pointer: string, name: string): Shape[] {
    return (["allOf", "anyOf", "oneOf"] as const).flatMap((keyword): readonly Shape[] => {
      const list = schema[keyword];
      if (!isList(list) || list.length === 0) return [];
      const of = list.map((each, index) =>
        this.read(each, `${pointer}/${keyword}/${index}`, {
          name: `${name} ${index + 1}`,
          isNamed: false,
        }),
      );
      if (keyword === "allOf" || of.length === 1) return of;
      return [{ kind: "union", of, exactly_one: keyword === "oneOf" }];
    });
  }

  private reference(ref: string, pointer: string): Shape {
    const target = ref.startsWith("#") ? decoded(ref.slice(1)) : null;
    const parts = target === null ? null : pointerParts(target);
    if (target === null || parts === null || valueAt(this.document, target) === undefined) {
      return this.warn(
        `${pointer}/$ref`,
        `${ref.slice(0, 200)} leads to nothing in this document: anything is taken.`,
      );
    }
    return { kind: "ref", name: this.define(target, parts.at(-1) ?? "Root") };
  }

  private literals(values: readonly JsonValue[], schema: JsonObject, pointer: string): Shape {
    const types = typesOf(schema);
    const isTyped = (value: JsonValue) =>
      types.length === 0 ||
      types.includes(typeOf(value)) ||
      (types.includes("number") && typeof value === "number");
    const plain = values.filter((value) => typeof value !== "object" || value === null) as (
      | string
      | number
      | boolean
      | null
    )[];
    if (plain.length < values.length)
      return this.warn(
        pointer,
        "Values that are objects or arrays are not carried over: anything is taken.",
      );
    const kept = plain.filter(isTyped);
    return kept.length === 0 ? { kind: "never" } : { kind: "literals", values: [...new Set(kept)] };
  }

  private typed(schema: JsonObject, pointer: string, name: string): Shape[] {
    let types = typesOf(schema);
    if (types.length === 0) {
      const implied = impliedType(schema);
      if (implied === null) return [];
      this.warn(
        pointer,
        `No type is told: read as ${implied}, though other values would pass the schema.`,
      );
      types = [implied];
    }
    const of = types.map((type) => this.ofType(type, schema, { pointer, name }));
    return of.length === 1 ? of : [{ kind: "union", of, exactly_one: false }];
  }

  private ofType(type: string, schema: JsonObject, at: { pointer: string; name: string }): Shape {
    switch (type) {
      case "string":
        return {
          kind: "string",
          format: textAt(schema, "format"),
          pattern: textAt(schema, "pattern"),
          min: numberAt(schema, "minLength") ?? 0,
          max: numberAt(schema, "maxLength"),
        };
      case "number":
      case "integer":
        return { kind: type, ...numberRules(schema) };
      case "boolean":
      case "null":
        return { kind: type };
      case "array":
        return this.list(schema, at);
      case "object":
        return this.object(schema, at);
      default:
        return this.warn(
          at.pointer,
          `The type ${JSON.stringify(type).slice(0, 60)} is unknown: anything is taken.`,
        );
    }
  }

  private list(schema: JsonObject, { pointer, name }: { pointer: string; name: string }): Shape {
    const { items, prefixItems, additionalItems } = schema as {
      [keyword: string]: JsonValue | undefined;
    };
    const inner = { name: `${name} item`, isNamed: false };
    const min = numberAt(schema, "minItems") ?? 0;
    const tuple = isList(prefixItems) ? prefixItems : isList(items) ? items : null;
    if (tuple !== null) {
      const keyword = isList(prefixItems) ? "prefixItems" : "items";
      const rest = isList(prefixItems) ? items : additionalItems;
      const shapes = tuple.map((each, index) =>
        this.read(each, `${pointer}/${keyword}/${index}`, {
          ...inner,
          name: `${name} ${index + 1}`,
        }),
      );
      const tail =
        rest === undefined
          ? ANY
          : this.read(
              rest,
              `${pointer}/${isList(prefixItems) ? "items" : "additionalItems"}`,
              inner,
            );
      return {
        kind: "tuple",
        items: shapes,
        rest: tail.kind === "never" ? null : tail,
        min: Math.min(min, shapes.length),
      };
    }
    const item = items === undefined ? ANY : this.read(items, `${pointer}/items`, inner);
    return {
      kind: "list",
      item,
      min,
      max: numberAt(schema, "maxItems"),
      unique: schema["uniqueItems"] === true,
    };
  }

  private object(schema: JsonObject, { pointer, name }: { pointer: string; name: string }): Shape {
    const properties = isObject(schema["properties"]) ? schema["properties"] : {};
    const required = isList(schema["required"]) ? schema["required"] : [];
    const rest = schema["additionalProperties"];
    const open =
      rest === undefined
        ? ANY
        : this.read(rest, `${pointer}/additionalProperties`, {
            name: `${name} value`,
            isNamed: false,
          });
    const fields = Object.entries(properties).map(([key, inner]): Field => {
      const at = `${pointer}/properties/${escapePointer(key)}`;
      return {
        name: key,
        shape: this.read(inner, at, { name: `${name} ${key}`, isNamed: false }),
        is_required: required.includes(key),
        description: textAt(inner, "description"),
      };
    });
    for (const key of new Set(required)) {
      if (typeof key !== "string" || Object.hasOwn(properties, key)) continue;
      fields.push({
        name: key,
        shape: open.kind === "never" ? ANY : open,
        is_required: true,
        description: null,
      });
    }
    if (fields.length === 0 && open.kind !== "never") return { kind: "map", value: open };
    return { kind: "object", fields, rest: open.kind === "never" ? null : open };
  }
}
