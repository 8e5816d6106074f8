import { ok } from "../../lib/result.ts";
import { codeLanguageOf, unbalancedCode } from "./code-debugging/brackets.ts";
import { brokenText } from "./code-debugging/broken-text.ts";
import type { Diagnosis } from "./code-debugging/diagnosis.ts";
import { diagnoseLog, isLog } from "./code-debugging/log-diagnosis.ts";
import { diagnoseTraces } from "./code-debugging/trace-diagnosis.ts";
import { parseTraces, thrownOn } from "./code-debugging/traces.ts";
import { isFormat } from "./configuration/documents.ts";
import { isObject, textOf } from "./formats/json-value.ts";
import { refuseInput } from "./input-failure.ts";
import { progressAt } from "./progress.ts";
import { qualityOf } from "./score.ts";
import type { JsonObject, JsonValue, PureRun, PureSkill, SkillTask } from "./skill.ts";

const STEPS = ["Reading what went wrong", "Looking for its cause"];
/** Fields that hold what went wrong, in the order they are looked at. */
const FIELDS = ["stack_trace", "error", "log", "text"] as const;
/** Characters examined in a second of a slow isolate, with a wide margin. */
const CHARACTERS_PER_SECOND = 100_000;
const LACK =
  "Finding why a program behaves wrongly without an error, a stack trace, a log or a broken text needs a model that reads the program.";

/**
 * Says what an error, a stack trace, a log or a broken text tells of its cause; needs no model.
 *
 * Input: `stack_trace`, `error`, `log` or `text` (JSON, YAML, TOML, .env, .properties or code), `name` of the text's file,
 * `files` (sources by path, for excerpts). Configuration: `format` of the text. The output has `kind`, `diagnosis`,
 * `root_cause`, `location`, `suggestions`, and by kind `frames`, `causes`, `groups`, `excerpt`, `repaired`, `repairs`.
 */
export const codeDebugging: PureSkill = {
  task_type: "code_debugging",
  prior_quality: 0.75,
  estimate: (input_data) => 1 + Math.ceil(given(input_data).length / CHARACTERS_PER_SECOND),
  lack: (task) => (diagnose(task) === null ? LACK : null),
  run: debug,
};

function* debug(task: SkillTask): PureRun {
  yield progressAt(STEPS, 0);
  yield progressAt(STEPS, 1, { characters: given(task.input_data).length });
  const found = diagnose(task);
  if (found === null) {
    return refuseInput(
      "nothing_broken",
      "No error, stack trace or broken text was found.",
      `${given(task.input_data).length} characters were read. ${LACK}`,
      [
        "Give the error or its stack trace in input_data.stack_trace, a log in input_data.log, or a text that can't be read in input_data.text.",
      ],
    );
  }
  const { certainty, coverage, more, ...told } = found;
  return ok({
    output: { ...more, ...told, location: told.location === null ? null : { ...told.location } },
    summary: found.diagnosis.slice(0, 2_000),
    quality: qualityOf(
      {
        correctness: certainty,
        completeness: coverage,
        efficiency: 1,
        maintainability: found.location === null ? 0.5 : 1,
      },
      `The cause is ${certainty === 1 ? "certain" : "likely"} by the wording; its place is ${found.location === null ? "not known" : "known"}.`,
    ),
    next_steps: found.suggestions,
    lessons_learned: [],
  });
}

function given(input: JsonObject): string {
  const field = FIELDS.find((name) => typeof input[name] === "string" || isObject(input[name]));
  return field === undefined ? "" : wordsOf(input[field]);
}

/** An error as an object is its stack, else its name and message. */
function wordsOf(value: JsonValue | undefined): string {
  if (!isObject(value)) return textOf(value);
  const { stack, name, type, message } = value as { [name: string]: JsonValue | undefined };
  if (typeof stack === "string") return stack;
  return `${textOf(name ?? type ?? "Error")}: ${textOf(message ?? "")}`;
}

function diagnose({ input_data, configuration }: SkillTask): Diagnosis | null {
  const text = given(input_data);
  if (text.trim() === "") return null;
  const isText = FIELDS.every((field) => field === "text" || input_data[field] === undefined);
  const { name, log } = input_data as { [name: string]: JsonValue | undefined };
  const file = typeof name === "string" && !/\.(?:log|txt|out)$/i.test(name) ? name : null;
  if (isText && (file !== null || configuration["format"] !== undefined)) {
    return diagnoseText(text, file, configuration["format"]);
  }
  const isOfLog = typeof log === "string" || isLog(text);
  const traces = parseTraces(text);
  const found = diagnoseTraces(traces, sources(input_data["files"]));
  if (found !== null) return isOfLog ? withLog(found, text) : found;
  if (isOfLog) return diagnoseLog(text);
  return isText ? diagnoseText(text, null, undefined) : diagnoseError(text);
}

/** A log with traces: the traces say why, the lines how often. */
function withLog(found: Diagnosis, text: string): Diagnosis {
  const log = diagnoseLog(text);
  if (log === null) return found;
  return { ...found, more: { ...found.more, log: { ...log.more, diagnosis: log.diagnosis } } };
}

function diagnoseText(
  text: string,
  name: string | null,
  format: JsonValue | undefined,
): Diagnosis | null {
  if (isFormat(format)) return brokenText(text, name, format);
  const isData = /\.(?:json|ya?ml|toml|env|properties)$/i.test(name ?? "") || /^\s*[{[]/.test(text);
  const language = isData ? null : codeLanguageOf(name ?? "", text);
  if (language !== null) return unbalancedCode(text, name, language);
  return brokenText(text, name, null);
}

/** An error without frames. */
function diagnoseError(text: string): Diagnosis | null {
  const [line, thrown] = text
    .split("\n", 200)
    .map((each, at) => [at + 1, thrownOn(each)] as const)
    .find(([, found]) => found !== null) ?? [1, null];
  const { type, message } = thrown ?? { type: "", message: text.slice(0, 1_000).trim() };
  return diagnoseTraces(
    [{ language: "javascript", type, message, frames: [], causes: [], line }],
    {},
  );
}

function sources(files: JsonValue | undefined): Record<string, string> {
  if (!isObject(files)) return {};
  return Object.fromEntries(
    Object.entries(files).flatMap(([path, text]): [string, string][] =>
      typeof text === "string" ? [[path, text]] : [],
    ),
  );
}
