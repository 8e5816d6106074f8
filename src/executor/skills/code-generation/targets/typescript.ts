import { commentText } from "../names.ts";
import type { Definition, Field, Model, Shape } from "../shape.ts";

/** TypeScript types of a model: an interface for each object, an alias for all else. Compiles under `strict`. */
export function writeTypescript({ definitions }: Model): string {
  return definitions.map(typescriptType).join("\n");
}

/** The declaration of one definition, exported. */
export function typescriptType({ name, shape, description }: Definition): string {
  const comment = description === null ? "" : `/** ${commentText(description)} */\n`;
  if (shape.kind !== "object") return `${comment}export type ${name} = ${typeOf(shape)};\n`;
  const lines = membersOf(shape).map((member) => `  ${member};\n`);
  return `${comment}export interface ${name} {\n${lines.join("")}}\n`;
}

function membersOf({ fields, rest }: Extract<Shape, { kind: "object" }>): string[] {
  const isOpen = rest !== null && rest.kind !== "any";
  return [...fields.map(fieldMember), ...(isOpen ? ["[name: string]: unknown"] : [])];
}

function fieldMember({ name, shape, is_required, description }: Field): string {
  const comment = description === null ? "" : `/** ${commentText(description)} */\n  `;
  const key = /^[A-Za-z_$][\w$]*$/.test(name) ? name : literal(name);
  return `${comment}${key}${is_required ? "" : "?"}: ${typeOf(shape)}`;
}

function typeOf(shape: Shape): string {
  switch (shape.kind) {
    case "any":
      return "unknown";
    case "never":
    case "null":
    case "boolean":
    case "string":
      return shape.kind;
    case "number":
    case "integer":
      return "number";
    case "literals":
      return shape.values.map(literal).join(" | ");
    case "list":
      return `Array<${typeOf(shape.item)}>`;
    case "tuple": {
      const items = shape.items.map((item, at) =>
        at < shape.min ? typeOf(item) : `(${typeOf(item)})?`,
      );
      return `[${[...items, ...(shape.rest === null ? [] : [`...Array<${typeOf(shape.rest)}>`])].join(", ")}]`;
    }
    case "map":
      return `{ [name: string]: ${typeOf(shape.value)} }`;
    case "union":
      return shape.of.map((each) => `(${typeOf(each)})`).join(" | ");
    case "both":
      return shape.of.map((each) => `(${typeOf(each)})`).join(" & ");
    case "ref":
      return shape.name;
    case "object":
      return shape.fields.length === 0 && shape.rest === null
        ? "Record<string, never>"
        : `{ ${membersOf(shape).join("; ")} }`;
  }
}

/** A value as a literal of JavaScript; U+2028 and U+2029 would end a line in older readers. */
export function literal(value: string | number | boolean | null): string {
  return JSON.stringify(value).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
