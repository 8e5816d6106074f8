import { Validator, dereference, validate } from "@cfworker/json-schema";
import type { Schema } from "@cfworker/json-schema";
import safeRegex from "safe-regex2";

import { canonicalJson } from "../../lib/ports.ts";
import type { Notification } from "../../protocol/notification.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Fault } from "../../protocol/refusal.ts";
import type { AcceptanceCheck, TaskExecution } from "../../protocol/task-execution.ts";

/** Longest regular expression of an acceptance check or an output schema. */
const LONGEST_PATTERN = 200;
/** Longest text that a regular expression is tried on. */
const LONGEST_MATCHED_TEXT = 10_000;

type Completed = Extract<Notification, { notification_type: "task_completed" }>["data"];

/** The value at a dotted path such as `findings[0].title`; undefined when there is none. */
export function valueAt(root: unknown, path: string): unknown {
  const parts = path.replace(/^\$\.?/, "").match(/[A-Za-z0-9_-]+/g) ?? [];
  let value = root;
  for (const part of parts) {
    if (value === null || typeof value !== "object") return undefined;
    value = Object.hasOwn(value, part) ? (value as Record<string, unknown>)[part] : undefined;
  }
  return value;
}

function compares(op: "gt" | "gte" | "lt" | "lte", left: unknown, right: unknown): boolean {
  const bothNumbers = typeof left === "number" && typeof right === "number";
  const bothTexts = typeof left === "string" && typeof right === "string";
  if (!bothNumbers && !bothTexts) return false;
  switch (op) {
    case "gt":
      return left > right;
    case "gte":
      return left >= right;
    case "lt":
      return left < right;
    case "lte":
      return left <= right;
  }
}

function equals(left: unknown, right: unknown): boolean {
  return canonicalJson(left ?? null) === canonicalJson(right ?? null);
}

/** Whether a result meets one acceptance check. Values of other types never compare as greater or less. */
export function meets(check: AcceptanceCheck, result: unknown): boolean {
  const value = valueAt(result, check.json_path);
  switch (check.op) {
    case "exists":
      return (value !== undefined) === (check.value !== false);
    case "eq":
      return value !== undefined && equals(value, check.value);
    case "ne":
      return !equals(value, check.value);
    case "in":
      return Array.isArray(check.value) && check.value.some((option) => equals(value, option));
    case "matches":
      return (
        typeof value === "string" &&
        typeof check.value === "string" &&
        value.length <= LONGEST_MATCHED_TEXT &&
        new RegExp(check.value, "u").test(value)
      );
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return compares(check.op, value, check.value);
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200) : "cannot be used";
}

function schemaFaults(schema: JsonObject, result: unknown): Fault[] {
  try {
    const outcome = new Validator(schema as Schema, "2020-12", false).validate(result);
    return outcome.errors.map((error) => ({
      pointer: `/data/result${error.instanceLocation.replace(/^#/, "")}`,
      code: "output_schema",
      detail: error.error,
    }));
  } catch (cause) {
    // The schema was tried when it came in, but not on every value there is.
    const detail = `output_schema cannot be applied to this result: ${reasonOf(cause)}`;
    return [{ pointer: "/data/result", code: "output_schema", detail }];
  }
}

/**
 * What keeps a result from being accepted: breaches of `output_schema`, unmet acceptance checks, a
 * score below `quality_threshold` (protocol.md §7, Gates). Empty when it passes.
 */
export function resultFaults(task: TaskExecution, completed: Completed): Fault[] {
  const { output_schema, acceptance = [] } = task.contract ?? {};
  const threshold = task.execution_options.quality_threshold;
  const score = completed.quality_assessment.overall_score;
  return [
    ...(output_schema === undefined ? [] : schemaFaults(output_schema, completed.result)),
    ...acceptance
      .filter((check) => !meets(check, completed.result))
      .map((check) => ({
        pointer: `/data/result`,
        code: "acceptance",
        detail: `acceptance check "${check.name}" is not met`,
        expected: `${check.json_path} ${check.op} ${JSON.stringify(check.value ?? null)}`,
        received: String(JSON.stringify(valueAt(completed.result, check.json_path) ?? null)).slice(
          0,
          200,
        ),
      })),
    ...(score < threshold
      ? [
          {
            pointer: "/data/quality_assessment/overall_score",
            code: "quality_threshold",
            detail: "the score is below the task's quality threshold",
            expected: `at least ${threshold}`,
            received: String(score),
          },
        ]
      : []),
  ];
}

function isUsablePattern(pattern: unknown): boolean {
  if (typeof pattern !== "string" || pattern.length > LONGEST_PATTERN) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  // Patterns that can take exponential time would let one task stall its object.
  return safeRegex(pattern);
}

const PATTERN_RULE = `a regular expression of at most ${LONGEST_PATTERN} characters without nested repetition`;

function patternFaults(schema: unknown, pointer: string): Fault[] {
  if (schema === null || typeof schema !== "object") return [];
  return Object.entries(schema).flatMap(([key, value]): Fault[] => {
    const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const patterns =
      key === "patternProperties" && value !== null && typeof value === "object"
        ? Object.keys(value)
        : key === "pattern" && typeof value === "string"
          ? [value]
          : [];
    const own = patterns
      .filter((pattern) => !isUsablePattern(pattern))
      .map(() => ({ pointer: at, code: "unsafe_pattern", detail: `must be ${PATTERN_RULE}` }));
    return [...own, ...patternFaults(value, at)];
  });
}

/** One value of each type: a reference to nothing or a keyword of the wrong form shows on one of them. */
const PROBES = [null, true, 0, "", [], {}];

/** @throws Error when a part of the schema cannot be used */
function tryOut(schema: Schema): void {
  const parts = dereference(schema);
  for (const part of Object.values(parts)) {
    for (const probe of PROBES) validate(probe, part, "2020-12", parts, false);
  }
}

/** What is wrong with a contract itself, found when the task is submitted and not when it is done. */
export function contractFaults(task: TaskExecution): Fault[] {
  const { output_schema, acceptance = [] } = task.contract ?? {};
  const faults = acceptance.flatMap((check, index): Fault[] =>
    check.op === "matches" && !isUsablePattern(check.value)
      ? [
          {
            pointer: `/contract/acceptance/${index}/value`,
            code: "unsafe_pattern",
            detail: `must be ${PATTERN_RULE}`,
          },
        ]
      : [],
  );
  if (output_schema === undefined) return faults;
  const unsafe = patternFaults(output_schema, "/contract/output_schema");
  if (unsafe.length > 0) return [...faults, ...unsafe];
  try {
    tryOut(output_schema as Schema);
    return faults;
  } catch (cause) {
    const detail = reasonOf(cause);
    return [...faults, { pointer: "/contract/output_schema", code: "invalid_schema", detail }];
  }
}
