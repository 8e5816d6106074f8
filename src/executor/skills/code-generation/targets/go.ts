import { warnOfLosses } from "../losses.ts";
import { commentText, Names, typeName } from "../names.ts";
import type { Definition, Field, Model, Shape } from "../shape.ts";

/** JSON as it stands, for the program to read on. */
const RAW = "json.RawMessage";

/**
 * Go types of a model, with json tags. Optional fields and recursive ones are pointers; what Go has no type for (unions,
 * intersections, tuples) is json.RawMessage, so that nothing of it is lost.
 *
 * That is told in `warnings`, as are names that a json tag can't hold, whose fields are left out.
 */
export function writeGo(model: Model, packageName: string): string {
  const { definitions, warnings } = model;
  warnOfLosses(model, lossOf);
  const recursive = new Set(
    definitions.filter((each) => each.is_recursive).map(({ name }) => name),
  );
  const parts = definitions.map((definition) => goType(definition, recursive, warnings));
  const body = parts.join("\n");
  const imports = body.includes("json.RawMessage") ? 'import "encoding/json"\n\n' : "";
  return `package ${packageName}\n\n${imports}${body}`;
}

function goType(
  { name, shape, description }: Definition,
  recursive: ReadonlySet<string>,
  warnings: Model["warnings"],
): string {
  const comment = description === null ? "" : `// ${name}: ${commentText(description)}\n`;
  if (shape.kind !== "object")
    return `${comment}type ${name} ${typeOf(shape)}\n${constants(name, shape)}`;
  const names = new Names();
  const lines = shape.fields.flatMap((field) =>
    fieldLine(field, names, { recursive, warnings, of: name }),
  );
  return `${comment}type ${name} struct {\n${lines.join("")}}\n`;
}

function fieldLine(
  { name, shape, is_required, description }: Field,
  names: Names,
  told: { recursive: ReadonlySet<string>; warnings: Model["warnings"]; of: string },
): string[] {
  if (!/^[\p{L}\p{N}!#$%&()*+\-./:;<=>?@[\]^_{|}~ ]+$/u.test(name) || name === "-") {
    told.warnings.push({
      pointer: "",
      detail: `${told.of}: a json tag of Go can't hold the name ${JSON.stringify(name).slice(0, 80)}; the field is left out.`,
    });
    return [];
  }
  const isLoop = shape.kind === "ref" && told.recursive.has(shape.name);
  const plain = typeOf(shape);
  const isPointer =
    isLoop || (!is_required && /^(?:string|bool|float64|int64|[A-Z]\w*)$/.test(plain));
  const comment = description === null ? "" : `\t// ${commentText(description)}\n`;
  return [
    `${comment}\t${names.take(typeName(name))} ${isPointer ? "*" : ""}${plain} \`json:"${name}${is_required ? "" : ",omitempty"}"\`\n`,
  ];
}

/** What the type of a shape leaves out. */
function lossOf(shape: Shape): string | null {
  const type = typeOf(shape);
  switch (shape.kind) {
    case "union":
      return type === RAW ? `One of several types can't be said: ${RAW}.` : null;
    case "both":
      return `All of several schemas at once can't be said: ${RAW}.`;
    case "tuple":
      return `Which item is of which type is not carried over: ${RAW}.`;
    case "never":
      return `No value fits here; the type takes any: ${RAW}.`;
    case "literals":
      return `Only the values allowed may stand here; the type takes any ${type}.`;
    case "object":
      return shape.fields.length > 0 ? `Its fields are not carried over: ${type}.` : null;
    case "any":
    case "null":
    case "boolean":
    case "string":
    case "number":
    case "integer":
    case "list":
    case "map":
    case "ref":
      return null;
  }
}

function typeOf(shape: Shape): string {
  switch (shape.kind) {
    case "any":
      return "any";
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "number":
      return "float64";
    case "integer":
      return "int64";
    case "literals":
      return shape.values.every((value) => typeof value === "string") ? "string" : "any";
    case "list":
      return `[]${typeOf(shape.item)}`;
    case "map":
      return `map[string]${typeOf(shape.value)}`;
    case "object":
      return "map[string]any";
    case "ref":
      return shape.name;
    case "union":
      return nullable(shape.of) ?? RAW;
    case "never":
    case "null":
    case "tuple":
    case "both":
      return RAW;
  }
}

/** A union with null alone is a pointer. */
function nullable(of: readonly Shape[]): string | null {
  const [first, ...others] = of.filter(({ kind }) => kind !== "null");
  return first === undefined || others.length > 0 ? null : `*${typeOf(first)}`;
}

function constants(name: string, shape: Shape): string {
  if (shape.kind !== "literals" || typeOf(shape) !== "string") return "";
  const names = new Names();
  const lines = shape.values.map(
    (value) =>
      `\t${name}${names.take(typeName(String(value)))} ${name} = ${JSON.stringify(value)}\n`,
  );
  return `\nconst (\n${lines.join("")})\n`;
}
