import { compareDocuments } from "./configuration/changes/comparison.ts";
import { mergeDocuments } from "./configuration/changes/layering.ts";
import { convertDocuments } from "./configuration/conversion.ts";
import { givenDocuments } from "./configuration/documents.ts";
import { readOptions } from "./configuration/options.ts";
import { validateDocuments } from "./configuration/validation.ts";
import type { PureRun, PureSkill, SkillTask } from "./skill.ts";

/** Characters checked in a second of a slow isolate, with a wide margin. */
const CHARACTERS_PER_SECOND = 100_000;

/**
 * Validates, merges, compares and converts configurations in JSON, YAML, TOML, .env and .properties; needs no model.
 *
 * Input: `documents` (each `{name?, format?, text | value}`), `schema` (JSON Schema, to validate and merge), `variables`
 * (what ${VAR} may stand for). Configuration: `operation` ("validate", "merge", "diff", "convert"; default: what the rest
 * asks for), `to` (format), `mode`, `arrays`, `array_key` (of a merge), `include_secrets` (of a diff).
 */
export const configuration: PureSkill = {
  task_type: "configuration",
  prior_quality: 0.95,
  estimate: (input_data) =>
    1 + Math.ceil(JSON.stringify(input_data).length / CHARACTERS_PER_SECOND),
  lack: ({ input_data }) =>
    input_data["documents"] === undefined && input_data["document"] === undefined
      ? "Changing a system that the task only describes needs access to it and a model that knows it; without, sam works on the documents in input_data.documents, and there are none."
      : null,
  run: configure,
};

function* configure({ input_data, configuration: configured }: SkillTask): PureRun {
  const options = readOptions(configured, input_data);
  if (!options.ok) return options;
  const given = givenDocuments(input_data);
  if (!given.ok) return given;
  const { operation, to } = options.value;
  switch (operation) {
    case "validate":
      return yield* validateDocuments(given.value, input_data);
    case "merge":
      return yield* mergeDocuments(given.value, input_data, options.value);
    case "diff":
      return yield* compareDocuments(given.value, options.value.include_secrets);
    case "convert":
      return yield* convertDocuments(given.value, to ?? "json");
  }
}
