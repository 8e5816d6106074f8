import { PATTERN_RULE } from "../../lib/pattern-limits.ts";
import { canonicalJson } from "../../lib/ports.ts";
import { Searches } from "../../lib/searches.ts";
import type { QualityAssessment } from "../../protocol/notification.ts";
import type { Fault } from "../../protocol/refusal.ts";
import { schemaFormFaults } from "../../protocol/schema-form.ts";
import type { AcceptanceCheck, TaskExecution } from "../../protocol/task-execution.ts";
import { outputFaults, schemaFault } from "./output-schema.ts";
import { isUsablePattern, patternFaults } from "./patterns.ts";

/** What the gates judge: a result, and how good whoever made it says it is. */
type Outcome = { result: unknown; quality_assessment: Pick<QualityAssessment, "overall_score"> };

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

/** A value that does not meet a check, for whoever has to mend it; null when it does. */
export function unmetBy(
  check: AcceptanceCheck,
  result: unknown,
  searches: Searches,
): { received: string } | null {
  const value = valueAt(result, check.json_path);
  const received = String(JSON.stringify(value ?? null)).slice(0, 200);
  if (check.op !== "matches") return meets(check.op, value, check.value) ? null : { received };
  if (typeof value !== "string" || typeof check.value !== "string") return { received };
  const searched = searches.search(check.value, value);
  if (searched.isFound) return null;
  const { unsearched } = searched;
  return { received: unsearched === "" ? received : `${unsearched}: ${received}` };
}

/** Whether a value meets a check other than by a pattern. Values of other types never compare as greater or less. */
function meets(
  op: Exclude<AcceptanceCheck["op"], "matches">,
  value: unknown,
  wanted: unknown,
): boolean {
  switch (op) {
    case "exists":
      return (value !== undefined) === (wanted !== false);
    case "eq":
      return value !== undefined && equals(value, wanted);
    case "ne":
      return !equals(value, wanted);
    case "in":
      return Array.isArray(wanted) && wanted.some((option) => equals(value, option));
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return compares(op, value, wanted);
  }
}

/**
 * What keeps a result from being accepted: breaches of `output_schema`, unmet acceptance checks, a
 * score below `quality_threshold` (protocol.md §7, Gates). Empty when it passes.
 */
export function resultFaults(task: TaskExecution, completed: Outcome): Fault[] {
  const { output_schema, acceptance = [] } = task.contract ?? {};
  const threshold = task.execution_options.quality_threshold;
  const score = completed.quality_assessment.overall_score;
  const searches = new Searches();
  return [
    ...(output_schema === undefined ? [] : outputFaults(output_schema, completed.result)),
    ...acceptance.flatMap((check) => {
      const unmet = unmetBy(check, completed.result, searches);
      if (unmet === null) return [];
      const detail = `acceptance check "${check.name}" is not met`;
      const expected = `${check.json_path} ${check.op} ${JSON.stringify(check.value ?? null)}`;
      return [{ pointer: "/data/result", code: "acceptance", detail, expected, ...unmet }];
    }),
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
  const pointer = "/contract/output_schema";
  const malformed = [
    ...schemaFormFaults(output_schema, pointer),
    ...patternFaults(output_schema, pointer),
  ];
  if (malformed.length > 0) return [...faults, ...malformed];
  const unusable = schemaFault(output_schema);
  return unusable === null ? faults : [...faults, unusable];
}
