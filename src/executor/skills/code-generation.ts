import { ok, type Result } from "../../lib/result.ts";
import { writeGo } from "./code-generation/go.ts";
import { inferSchema } from "./code-generation/infer-schema.ts";
import { writeJsonSchema } from "./code-generation/json-schema.ts";
import { writePython } from "./code-generation/python.ts";
import { readSchema } from "./code-generation/read-schema.ts";
import type { Model } from "./code-generation/shape.ts";
import { writeTypescript } from "./code-generation/typescript.ts";
import { writeZod } from "./code-generation/zod.ts";
import { readObject } from "./configuration/schema-input.ts";
import { escapePointer, isList, isObject } from "./formats/json-value.ts";
import { refuseInput } from "./input-failure.ts";
import { progressAt } from "./progress.ts";
import { partOf, qualityOf } from "./score.ts";
import type {
  JsonObject,
  JsonValue,
  PureRun,
  PureSkill,
  SkillFailure,
  SkillResult,
  SkillTask,
} from "./skill.ts";

const STEPS = ["Reading the schema", "Naming its types", "Writing the code"];
const TARGETS = ["typescript", "zod", "python", "go", "json_schema"] as const;
type Target = (typeof TARGETS)[number];
const ENDINGS: Readonly<Record<Target, string>> = {
  typescript: "ts",
  zod: "ts",
  python: "py",
  go: "go",
  json_schema: "schema.json",
};
const SOURCES = ["schema", "openapi", "example", "examples"] as const;
/** Characters of code that a message of 1 MiB has room for. */
const MOST_CHARACTERS = 700_000;
/** Types of one task; finding recursion takes time in their square. */
const MOST_TYPES = 1_000;
const CHARACTERS_PER_SECOND = 50_000;

/**
 * Writes types and validators from a schema; needs no model.
 *
 * Input: `schema` (JSON Schema, as object or text), `openapi` (its components.schemas), `example` or `examples` (samples from
 * which a schema is inferred). Configuration: `target` ("typescript", default, "zod", "python", "go", "json_schema"), `name` of
 * the type at the top, `style` of Python ("dataclass", "typed_dict"), `package` of Go. The output has `files`, `types`,
 * `warnings` (what the schema says and the target can't) and, for samples, the inferred `schema`.
 */
export const codeGeneration: PureSkill = {
  task_type: "code_generation",
  prior_quality: 0.9,
  estimate: (input_data) =>
    1 + Math.ceil(JSON.stringify(input_data).length / CHARACTERS_PER_SECOND),
  lack: ({ input_data }) =>
    SOURCES.every((name) => input_data[name] === undefined)
      ? "Writing code from a description needs a model; without one, sam writes types and validators from input_data.schema, openapi or example, and there is none."
      : null,
  run: generate,
};

function* generate({ input_data, configuration }: SkillTask): PureRun {
  yield progressAt(STEPS, 0);
  const target = TARGETS.find((each) => each === (configuration["target"] ?? "typescript"));
  if (target === undefined) {
    return refuseInput(
      "invalid_configuration",
      `configuration.target must be one of ${TARGETS.join(", ")}.`,
      `It is ${JSON.stringify(configuration["target"]).slice(0, 100)}.`,
      ["Correct configuration.target."],
    );
  }
  const source = sourceOf(
    input_data,
    typeof configuration["name"] === "string" ? configuration["name"] : null,
  );
  if (!source.ok) return source;
  yield progressAt(STEPS, 1);
  const { document, roots, inferred } = source.value;
  const model = readSchema(document, roots);
  if (model.definitions.length > MOST_TYPES) {
    return refuseInput(
      "input_too_large",
      `At most ${MOST_TYPES} types are written in one task.`,
      `There are ${model.definitions.length}.`,
      ["Give fewer schemas in one task."],
    );
  }
  yield progressAt(STEPS, 2, { types: model.definitions.length, warnings: model.warnings.length });
  const content = write(model, target, configuration);
  if (content.length > MOST_CHARACTERS) {
    return refuseInput(
      "result_too_large",
      `A result of at most ${MOST_CHARACTERS} characters can be told.`,
      `It has ${content.length}.`,
      ["Give fewer schemas in one task."],
    );
  }
  const file = {
    path: `${(roots.length === 1 ? model.definitions.at(-1)?.name : null) ?? "types"}.${ENDINGS[target]}`,
    language: LANGUAGES[target],
    content,
  };
  return ok(resultOf(model, { target, file, schema: inferred ? document : null }));
}

const LANGUAGES: Readonly<Record<Target, string>> = {
  typescript: "typescript",
  zod: "typescript",
  python: "python",
  go: "go",
  json_schema: "json",
};

function resultOf(
  { definitions, warnings }: Model,
  { target, file, schema }: { target: Target; file: JsonObject; schema: JsonObject | null },
): SkillResult {
  const types = definitions.map(({ name }) => name);
  const described = definitions.filter(({ description }) => description !== null).length;
  return {
    output: {
      target,
      files: [file],
      types,
      warnings: warnings.map((warning) => ({ ...warning })),
      ...(schema === null ? {} : { schema }),
    },
    summary: `${types.length} type(s) written as ${target}: ${types.slice(-10).join(", ")}. ${warnings.length} warning(s).`,
    quality: qualityOf(
      {
        correctness: 1,
        completeness: partOf(types.length, types.length + warnings.length / 2),
        efficiency: 1,
        maintainability: partOf(described + types.length, 2 * types.length),
      },
      `${warnings.length} thing(s) of the schema are not carried over; each is a warning.`,
    ),
    next_steps: warnings
      .slice(0, 5)
      .map(({ pointer, detail }) =>
        `Check ${pointer === "" ? "the top" : pointer}: ${detail}`.slice(0, 300),
      ),
    lessons_learned:
      schema === null
        ? []
        : ["The schema was inferred from samples: what they do not show, it does not know."],
  };
}

function write(model: Model, target: Target, { style, package: packageName }: JsonObject): string {
  switch (target) {
    case "typescript":
      return writeTypescript(model);
    case "zod":
      return writeZod(model);
    case "python":
      return writePython(model, style === "typed_dict" ? "typed_dict" : "dataclass");
    case "go":
      return writeGo(
        model,
        typeof packageName === "string" && /^[a-z]\w*$/.test(packageName) ? packageName : "types",
      );
    case "json_schema":
      return writeJsonSchema(model);
  }
}

interface Source {
  document: JsonObject;
  roots: { name: string; pointer: string }[];
  inferred: boolean;
}

function sourceOf(input: JsonObject, name: string | null): Result<Source, SkillFailure> {
  const { schema, openapi, example, examples } = input as { [name: string]: JsonValue | undefined };
  if (schema !== undefined) {
    const read = readObject(schema, "schema");
    if (!read.ok) return read;
    const { title } = read.value;
    return ok({
      document: read.value,
      roots: [{ name: name ?? (typeof title === "string" ? title : "Root"), pointer: "" }],
      inferred: false,
    });
  }
  if (openapi !== undefined) return openapiSource(openapi);
  const samples = isList(examples) ? examples : example === undefined ? [] : [example];
  if (samples.length === 0) {
    return refuseInput(
      "missing_input",
      "input_data must have schema, openapi, example or examples.",
      `It has ${Object.keys(input).slice(0, 20).join(", ") || "nothing"}.`,
      ["Give a JSON Schema in input_data.schema, or a sample in input_data.example."],
    );
  }
  return ok({
    document: inferSchema(samples),
    roots: [{ name: name ?? "Root", pointer: "" }],
    inferred: true,
  });
}

function openapiSource(openapi: JsonValue): Result<Source, SkillFailure> {
  const read = readObject(openapi, "openapi");
  if (!read.ok) return read;
  const { components, definitions } = read.value as { [name: string]: JsonValue | undefined };
  const [schemas, at] =
    isObject(components) && isObject(components["schemas"])
      ? [components["schemas"], "/components/schemas"]
      : [definitions, "/definitions"];
  if (!isObject(schemas) || Object.keys(schemas).length === 0) {
    return refuseInput(
      "no_schemas",
      "input_data.openapi has no components.schemas (or definitions, in version 2).",
      `It has ${Object.keys(read.value).slice(0, 20).join(", ")}.`,
      ["Give an OpenAPI document with components.schemas, or one schema in input_data.schema."],
    );
  }
  const roots = Object.keys(schemas).map((name) => ({
    name,
    pointer: `${at}/${escapePointer(name)}`,
  }));
  return ok({ document: read.value, roots, inferred: false });
}
