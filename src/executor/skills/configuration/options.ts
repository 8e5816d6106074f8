import { ok, type Result } from "../../../lib/result.ts";
import { isObject } from "../formats/json-value.ts";
import { refuseInput } from "../input-failure.ts";
import type { JsonObject, JsonValue, SkillFailure } from "../skill.ts";
import { ARRAYS, MODES, type MergeOptions } from "./changes/merge.ts";
import { FORMATS, type Format } from "./documents.ts";

const OPERATIONS = ["validate", "merge", "diff", "convert"] as const;

export interface Options extends MergeOptions {
  operation: (typeof OPERATIONS)[number];
  to: Format | null;
  /** Patches of a diff hold secrets as they are. */
  include_secrets: boolean;
}

/**
 * What to do: `configuration.operation`, else what the rest asks for: merge options merge, a target format
 * converts, a schema validates, two documents are compared, more are merged, one is validated.
 */
export function readOptions(
  configuration: JsonObject,
  input: JsonObject,
): Result<Options, SkillFailure> {
  for (const [name, words] of Object.entries(WORDS)) {
    const value = configuration[name];
    if (value !== undefined && wordOf(value, words) === null)
      return refuseOption(name, words, value);
  }
  const to = wordOf(configuration["to"], FORMATS);
  const operation = wordOf(configuration["operation"], OPERATIONS) ?? derived(configuration, input);
  if (operation === "convert" && to === null) return refuseOption("to", FORMATS, undefined);
  const { array_key } = configuration;
  return ok({
    operation,
    to,
    mode: wordOf(configuration["mode"], MODES) ?? "deep",
    arrays: wordOf(configuration["arrays"], ARRAYS) ?? "replace",
    array_key: typeof array_key === "string" ? array_key : "name",
    include_secrets: configuration["include_secrets"] === true,
  });
}

const WORDS = { operation: OPERATIONS, to: FORMATS, mode: MODES, arrays: ARRAYS };

function derived(configuration: JsonObject, input: JsonObject): Options["operation"] {
  const { documents } = input;
  const count = Array.isArray(documents) ? documents.length : 1;
  const asked = ["mode", "arrays", "array_key"].some((name) => configuration[name] !== undefined);
  if (configuration["to"] !== undefined && !asked) return "convert";
  if (asked) return "merge";
  if (input["schema"] !== undefined || count === 1) return "validate";
  return count === 2 ? "diff" : "merge";
}

/** Null when it is none of the words. */
function wordOf<Word extends string>(
  value: JsonValue | undefined,
  words: readonly Word[],
): Word | null {
  return words.find((word) => word === value) ?? null;
}

function refuseOption(name: string, words: readonly string[], value: JsonValue | undefined) {
  return refuseInput(
    "invalid_configuration",
    `configuration.${name} must be one of ${words.join(", ")}.`,
    value === undefined ? "It is missing." : `It is ${JSON.stringify(value).slice(0, 200)}.`,
    [`Correct configuration.${name}.`],
  );
}

/** `input_data.variables`: what placeholders may stand for. */
export function variablesOf(input: JsonObject): JsonObject {
  return isObject(input["variables"]) ? input["variables"] : {};
}
