import type { z } from "zod";

import type { Fault } from "./refusal.ts";

/** A JSON Pointer (RFC 6901) from a path of keys and indexes. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}

const SHOWN_VALUE_LENGTH = 80;

/** Fields whose values are never shown, nor those of anything inside them; any header may hold a key. */
const SECRET_FIELD =
  /secret|token|password|key|authorization|cookie|signature|credential|^headers$/i;
/**
 * Values that are secrets under whatever name: our keys and signing secrets, lease tokens (22 characters of base 62,
 * lib/ports randomId), URLs with a password.
 */
const SECRET_VALUE = /whsec_|bk_|pt_|bearer |\/\/[^/]*@|^"[0-9A-Za-z]{22}"$/i;

function received(input: unknown, path: readonly PropertyKey[]): string {
  let value = input;
  for (const part of path) {
    if (value === null || typeof value !== "object") return "nothing";
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `array of ${value.length}`;
  if (value !== null && typeof value === "object") return "object";
  if (path.some((part) => SECRET_FIELD.test(String(part)))) return typeof value;
  const text = JSON.stringify(value);
  if (SECRET_VALUE.test(text)) return typeof value;
  return text.length > SHOWN_VALUE_LENGTH ? `${typeof value} of ${text.length} characters` : text;
}

function expectedOf(issue: z.core.$ZodIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected;
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(" | ");
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${String(issue.minimum)}`;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${String(issue.maximum)}`;
    case "invalid_format":
      return issue.format === "regex" ? (issue.pattern ?? "another form") : issue.format;
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "unrecognized_keys":
      return "no such field";
    case "invalid_union":
    case "invalid_key":
    case "invalid_element":
    case "custom":
      return undefined;
  }
}

function faultOf(issue: z.core.$ZodIssue, path: readonly PropertyKey[], input: unknown): Fault {
  const expected = expectedOf(issue);
  return {
    pointer: pointerOf(path),
    code: issue.code,
    detail: issue.message,
    ...(expected !== undefined && { expected }),
    received: received(input, path),
  };
}

/** Whether a branch is of another type altogether, so that nothing inside the value was judged. */
function isOtherType(branch: readonly z.core.$ZodIssue[]): boolean {
  return branch.some(({ code, path }) => code === "invalid_type" && path.length === 0);
}

/** The branch of a failed union that came nearest: of the right type, with the fewest faults. */
function nearestBranch(branches: readonly z.core.$ZodIssue[][]): readonly z.core.$ZodIssue[] {
  const full = branches.filter((branch) => branch.length > 0);
  const distance = (branch: readonly z.core.$ZodIssue[]): number =>
    isOtherType(branch) ? Number.MAX_SAFE_INTEGER : branch.length;
  return full.toSorted((a, b) => distance(a) - distance(b))[0] ?? [];
}

function collect(
  issues: readonly z.core.$ZodIssue[],
  base: readonly PropertyKey[],
  input: unknown,
): Fault[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        ...faultOf(issue, [...path, key], input),
        detail: `unknown field "${key.slice(0, SHOWN_VALUE_LENGTH)}"`,
      }));
    }
    if (issue.code === "invalid_union") {
      const inner = collect(nearestBranch(issue.errors), path, input);
      return inner.length > 0 ? inner : [faultOf(issue, path, input)];
    }
    return [faultOf(issue, path, input)];
  });
}

/**
 * Every fault of a message in one list, each with a pointer to the field itself.
 *
 * @param input what was parsed, to say what came instead; secrets are named by type only
 */
export function faultsOf(error: z.ZodError, input: unknown): Fault[] {
  return collect(error.issues, [], input);
}
