import { commentText } from "../names.ts";
import type { Model, NumberRules, Shape, TextRules } from "../shape.ts";
import { literal, typescriptType } from "./typescript.ts";

/** Formats that zod checks; others are annotations, as JSON Schema has it. */
const FORMATS: Readonly<Record<string, string>> = {
  "date-time": "z.iso.datetime({ offset: true })",
  date: "z.iso.date()",
  uuid: "z.guid()",
  email: "z.email()",
  uri: "z.url()",
  ipv4: "z.ipv4()",
  ipv6: "z.ipv6()",
};

/**
 * Validators for zod 4 and the types they infer, which take what the schema takes as far as the shapes say it.
 *
 * Recursive definitions have their type written out, because zod cannot infer it.
 */
export function writeZod({ definitions }: Model): string {
  const written = new Set<string>();
  const parts = definitions.map((definition) => {
    const { name, shape, description, is_recursive } = definition;
    const value = validator(shape, written);
    written.add(name);
    if (is_recursive)
      return `${typescriptType(definition)}export const ${name}: z.ZodType<${name}> = z.lazy(() => ${value});\n`;
    const comment = description === null ? "" : `/** ${commentText(description)} */\n`;
    return `${comment}export const ${name} = ${value};\nexport type ${name} = z.infer<typeof ${name}>;\n`;
  });
  return `import * as z from "zod";\n\n${parts.join("\n")}`;
}

function validator(shape: Shape, written: ReadonlySet<string>): string {
  const inner = (each: Shape) => validator(each, written);
  switch (shape.kind) {
    case "any":
      return "z.unknown()";
    case "never":
    case "null":
    case "boolean":
      return `z.${shape.kind}()`;
    case "string":
      return text(shape);
    case "number":
    case "integer":
      return `z.${shape.kind === "integer" ? "int" : "number"}()${bounds(shape)}`;
    case "literals":
      return `z.literal([${shape.values.map(literal).join(", ")}])`;
    case "list":
      return `z.array(${inner(shape.item)})${sizes(shape)}${shape.unique ? UNIQUE : ""}`;
    case "tuple": {
      const items = shape.items.map(
        (item, at) => `${inner(item)}${at < shape.min ? "" : ".optional()"}`,
      );
      return `z.tuple([${items.join(", ")}]${shape.rest === null ? "" : `, ${inner(shape.rest)}`})`;
    }
    case "map":
      return `z.record(z.string(), ${inner(shape.value)})`;
    case "union":
      return `z.${shape.exactly_one ? "xor" : "union"}([${shape.of.map(inner).join(", ")}])`;
    case "both":
      return shape.of.map(inner).reduce((left, right) => `z.intersection(${left}, ${right})`);
    case "ref":
      return written.has(shape.name) ? shape.name : `z.lazy(() => ${shape.name})`;
    case "object":
      return object(shape, inner);
  }
}

/** Equal items have equal text, but for the order of names. */
const UNIQUE =
  '.refine((items) => new Set(items.map((item) => JSON.stringify(item))).size === items.length, "items must differ")';

function object(shape: Extract<Shape, { kind: "object" }>, inner: (each: Shape) => string): string {
  const { fields, rest } = shape;
  const kind = rest === null ? "strictObject" : rest.kind === "any" ? "looseObject" : "object";
  const open = kind === "object" && rest !== null ? `.catchall(${inner(rest)})` : "";
  const lines = fields.map(({ name, shape: each, is_required, description }) => {
    const comment = description === null ? "" : `  /** ${commentText(description)} */\n`;
    // Written plainly, this name would set the prototype.
    const key =
      name === "__proto__"
        ? '["__proto__"]'
        : /^[A-Za-z_$][\w$]*$/.test(name)
          ? name
          : literal(name);
    const present =
      each.kind === "any" ? '.refine((value) => value !== undefined, "is required")' : "";
    return `${comment}  ${key}: ${inner(each)}${is_required ? present : ".optional()"},\n`;
  });
  return `z.${kind}({\n${lines.join("")}})${open}`;
}

function text({ format, pattern, min, max }: TextRules): string {
  const known = format !== null && Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
  const regex = pattern === null ? "" : `.regex(new RegExp(${literal(pattern)}, "u"))`;
  return `${known ?? "z.string()"}${sizes({ min, max })}${regex}`;
}

function sizes({ min, max }: { min: number; max: number | null }): string {
  return `${min > 0 ? `.min(${min})` : ""}${max === null ? "" : `.max(${max})`}`;
}

function bounds({ at_least, at_most, above, below, multiple_of }: NumberRules): string {
  const rules = { gte: at_least, lte: at_most, gt: above, lt: below, multipleOf: multiple_of };
  return Object.entries(rules)
    .map(([rule, value]) => (value === null ? "" : `.${rule}(${value})`))
    .join("");
}
