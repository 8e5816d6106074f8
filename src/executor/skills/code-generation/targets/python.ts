import { warnOfLosses } from "../losses.ts";
import { commentText, isPythonName, Names, pythonName } from "../names.ts";
import { refsOf, type Definition, type Field, type Model, type Shape } from "../shape.ts";

const HEAD = "from __future__ import annotations\n\n";

/**
 * Python types of a model, for 3.11 and later: dataclasses, or TypedDicts, which describe the JSON as it is.
 *
 * An attribute of a dataclass whose name Python refuses keeps the original as `metadata["name"]`. What the types can't say
 * is told in the model's warnings.
 */
export function writePython(model: Model, style: "dataclass" | "typed_dict"): string {
  const { definitions } = model;
  warnOfLosses(model, lossOf);
  const parts = definitions.map((definition) => {
    const { name, shape, description } = definition;
    const comment = description === null ? "" : `# ${commentText(description)}\n`;
    if (shape.kind !== "object") return `${comment}${name}: TypeAlias = ${quoted(typeOf(shape))}\n`;
    return style === "dataclass"
      ? dataclass(definition, shape.fields)
      : `${comment}${typedDict(name, shape.fields)}`;
  });
  const imports =
    style === "dataclass"
      ? "from dataclasses import dataclass, field\nfrom typing import Any, Literal, TypeAlias\n"
      : "from typing import Any, Literal, NotRequired, TypeAlias, TypedDict\n";
  return `${HEAD}${imports}\n\n${parts.join("\n\n")}`;
}

function dataclass({ name, description }: Definition, fields: readonly Field[]): string {
  const names = new Names();
  // What has a default must follow what has none.
  const ordered = [
    ...fields.filter((each) => each.is_required),
    ...fields.filter((each) => !each.is_required),
  ];
  const lines = ordered.map((each) => {
    const attribute = names.take(isPythonName(each.name) ? each.name : pythonName(each.name));
    const type = each.is_required ? typeOf(each.shape) : `${typeOf(each.shape)} | None`;
    const metadata = attribute === each.name ? "" : `metadata={"name": ${quoted(each.name)}}`;
    const options = [each.is_required ? "" : "default=None", metadata].filter(
      (option) => option !== "",
    );
    const value =
      metadata !== "" ? ` = field(${options.join(", ")})` : each.is_required ? "" : " = None";
    return `    ${attribute}: ${type}${value}${each.description === null ? "" : `  # ${commentText(each.description)}`}\n`;
  });
  const text =
    description === null ? "" : `    """${commentText(description).replaceAll('"', "'")}"""\n\n`;
  const body = `${text}${lines.join("")}`;
  return `@dataclass(kw_only=True)\nclass ${name}:\n${body === "" ? "    pass\n" : body}`;
}

/** By call, because names of JSON need not be names of Python. */
function typedDict(name: string, fields: readonly Field[]): string {
  const lines = fields.map((each) => {
    const type = quoted(typeOf(each.shape));
    const comment = each.description === null ? "" : `  # ${commentText(each.description)}`;
    return `        ${quoted(each.name)}: ${each.is_required ? type : `NotRequired[${type}]`},${comment}\n`;
  });
  return `${name} = TypedDict(\n    "${name}",\n    {\n${lines.join("")}    },\n)\n`;
}

/** What the type of a shape leaves out. */
function lossOf(shape: Shape): string | null {
  const type = typeOf(shape);
  switch (shape.kind) {
    case "never":
      return "No value fits here; the type takes any.";
    case "tuple":
      return `Which item is of which type is not carried over: ${type}.`;
    case "both":
      return `All of several schemas at once can't be said: ${type}.`;
    case "literals":
      return type === "float" ? "The values allowed are not carried over: float." : null;
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
    case "union":
      return null;
  }
}

function typeOf(shape: Shape): string {
  switch (shape.kind) {
    case "any":
      return "Any";
    case "never":
      // Said by no value; Any keeps the program readable.
      return "Any";
    case "null":
      return "None";
    case "boolean":
      return "bool";
    case "string":
      return "str";
    case "number":
      return "float";
    case "integer":
      return "int";
    case "literals":
      return literals(shape.values);
    case "list":
      return `list[${typeOf(shape.item)}]`;
    case "tuple":
      return "list[Any]";
    case "map":
    case "object":
      return `dict[str, ${shape.kind === "map" ? typeOf(shape.value) : "Any"}]`;
    case "union":
      return [...new Set(shape.of.map(typeOf))].join(" | ");
    case "both":
      return new Set(refsOf(shape)).size === 1 ? (refsOf(shape)[0] ?? "Any") : "Any";
    case "ref":
      return shape.name;
  }
}

/** Literal takes no fractions. */
function literals(values: readonly (string | number | boolean | null)[]): string {
  if (values.some((value) => typeof value === "number" && !Number.isInteger(value))) return "float";
  const words = values.map((value) =>
    value === null
      ? "None"
      : typeof value === "boolean"
        ? value
          ? "True"
          : "False"
        : typeof value === "string"
          ? quoted(value)
          : String(value),
  );
  return `Literal[${words.join(", ")}]`;
}

/** A text as a literal: JSON's escapes are Python's, but for pairs of surrogates, which stay as they are. */
function quoted(text: string): string {
  return JSON.stringify(text);
}
