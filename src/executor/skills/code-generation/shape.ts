/** What a value may be, as far as types and validators of all targets can say it. */
export type Shape =
  | { kind: "any" }
  | { kind: "never" }
  | { kind: "null" }
  | { kind: "boolean" }
  | ({ kind: "string" } & TextRules)
  | ({ kind: "number" | "integer" } & NumberRules)
  | { kind: "literals"; values: readonly (string | number | boolean | null)[] }
  | { kind: "list"; item: Shape; min: number; max: number | null; unique: boolean }
  | { kind: "tuple"; items: readonly Shape[]; rest: Shape | null; min: number }
  | { kind: "map"; value: Shape }
  | { kind: "union"; of: readonly Shape[]; exactly_one: boolean }
  | { kind: "both"; of: readonly Shape[] }
  | { kind: "ref"; name: string }
  | { kind: "object"; fields: readonly Field[]; rest: Shape | null };

export interface TextRules {
  format: string | null;
  pattern: string | null;
  min: number;
  max: number | null;
}

/** Bounds; null where there is none. */
export interface NumberRules {
  at_least: number | null;
  at_most: number | null;
  above: number | null;
  below: number | null;
  multiple_of: number | null;
}

export interface Field {
  name: string;
  shape: Shape;
  is_required: boolean;
  description: string | null;
}

export interface Definition {
  name: string;
  /** Where the schema has it. */
  pointer: string;
  shape: Shape;
  description: string | null;
  /** Leads back to itself through references. */
  is_recursive: boolean;
}

/** `definitions`: what is referred to stands before what refers to it, as far as recursion lets it. */
export interface Model {
  definitions: Definition[];
  warnings: { pointer: string; detail: string }[];
}

export const ANY: Shape = { kind: "any" };

/** The shapes directly inside a shape. */
export function partsOf(shape: Shape): readonly Shape[] {
  switch (shape.kind) {
    case "list":
      return [shape.item];
    case "tuple":
      return [...shape.items, ...(shape.rest === null ? [] : [shape.rest])];
    case "map":
      return [shape.value];
    case "union":
    case "both":
      return shape.of;
    case "object":
      return [
        ...shape.fields.map((field) => field.shape),
        ...(shape.rest === null ? [] : [shape.rest]),
      ];
    case "any":
    case "never":
    case "null":
    case "boolean":
    case "string":
    case "number":
    case "integer":
    case "literals":
    case "ref":
      return [];
  }
}

/** Names that a shape refers to; only those that need no container between, when `isBare`. */
export function refsOf(shape: Shape, isBare = false): string[] {
  if (shape.kind === "ref") return [shape.name];
  if (isBare && shape.kind !== "union" && shape.kind !== "both") return [];
  return partsOf(shape).flatMap((part) => refsOf(part, isBare));
}
