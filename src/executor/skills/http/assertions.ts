import * as z from "zod";

import { isUsablePattern, PATTERN_RULE } from "../../../lib/pattern-limits.ts";
import { canonicalJson } from "../../../lib/ports.ts";
import type { Search, Searches } from "../../../lib/searches.ts";
import { isList } from "../formats/json-value.ts";
import type { JsonValue } from "../skill.ts";
import { PATH_RULE, pathSteps, valueAt } from "./json-path.ts";

const OPERATORS = [
  "eq",
  "ne",
  "gt",
  "gte",
  "lt",
  "lte",
  "in",
  "exists",
  "matches",
  "contains",
  "length",
  "type",
] as const;
const TYPES = ["string", "number", "integer", "boolean", "object", "array", "null"] as const;

/** A path of json-path.ts. */
export const pathSchema = z
  .string()
  .refine((path) => pathSteps(path) !== null, { error: `must be ${PATH_RULE}` });

/** A pattern of lib/pattern-limits.ts. */
export const patternSchema = z
  .string()
  .refine(isUsablePattern, { error: `must be ${PATTERN_RULE}` });

const countSchema = z.union([
  z.int().min(0),
  z.strictObject({ min: z.int().min(0).optional(), max: z.int().min(0).optional() }),
]);

/** What each operator is compared with; `eq`, `ne` and `contains` take any value. */
const VALUES: Partial<Record<(typeof OPERATORS)[number], z.ZodType>> = {
  in: z.array(z.json()).min(1),
  exists: z.boolean().optional(),
  matches: patternSchema,
  length: countSchema,
  type: z.enum(TYPES),
  gt: z.union([z.number(), z.string()]),
  gte: z.union([z.number(), z.string()]),
  lt: z.union([z.number(), z.string()]),
  lte: z.union([z.number(), z.string()]),
};

/** Something that must hold of one value of a JSON document. */
export const assertionSchema = z
  .strictObject({
    path: pathSchema,
    op: z.enum(OPERATORS).default("eq"),
    value: z.json().optional(),
  })
  .superRefine(({ op, value }, context) => {
    const wanted = VALUES[op] ?? z.json();
    const parsed = wanted.safeParse(value);
    for (const issue of parsed.error?.issues ?? []) {
      const message = value === undefined ? `is what "${op}" needs` : issue.message;
      context.addIssue({ code: "custom", path: ["value", ...issue.path], message });
    }
  });
export type Assertion = z.infer<typeof assertionSchema>;

/** What did not hold: where, what was wanted, and what was there. */
export type Unmet = { path: string; expected: string; received: string };

/** Shown of a value. */
const SHOWN = 200;

/** A value as JSON, cut; "nothing" when there is none. */
export function shown(value: JsonValue | undefined): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** What does not hold of a document; null when all is as it must be. Values of other types never compare. */
export function unmet(assertion: Assertion, document: JsonValue, searches: Searches): Unmet | null {
  const found = valueAt(document, assertion.path);
  const { path, op, value } = assertion;
  const expected = `${op} ${shown(value ?? (op === "exists" ? true : null))}`;
  if (op === "matches" && typeof found === "string" && typeof value === "string") {
    const searched = searches.search(value, found);
    return searched.isFound ? null : { path, expected, received: searchedIn(found, searched) };
  }
  return holds(assertion, found) ? null : { path, expected, received: received(op, found) };
}

/** A text in which a pattern was not found, and whether that is for sure. */
export function searchedIn(
  text: string,
  { unsearched }: Extract<Search, { isFound: false }>,
): string {
  return unsearched === "" ? shown(text) : `${unsearched}: ${shown(text)}`;
}

function received(op: Assertion["op"], found: JsonValue | undefined): string {
  if (found === undefined) return "nothing";
  if (op === "length") return `${lengthOf(found) ?? "no length"} (${typeOf(found)})`;
  return op === "type" ? typeOf(found) : shown(found);
}

function holds({ op, value = null }: Assertion, found: JsonValue | undefined): boolean {
  if (op === "exists") return (found !== undefined) === (value !== false);
  if (op === "ne") return found === undefined || !isEqual(found, value);
  if (found === undefined) return false;
  switch (op) {
    case "eq":
      return isEqual(found, value);
    case "in":
      return isList(value) && value.some((option) => isEqual(found, option));
    // Texts are searched by unmet, and no other value matches.
    case "matches":
      return false;
    case "contains":
      return holdsInside(found, value);
    case "length":
      return hasLength(lengthOf(found), countSchema.parse(value));
    case "type":
      return typeOf(found) === value || (value === "number" && typeof found === "number");
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return compares(op, found, value);
  }
}

function compares(op: "gt" | "gte" | "lt" | "lte", left: JsonValue, right: JsonValue): boolean {
  const bothNumbers = typeof left === "number" && typeof right === "number";
  const bothTexts = typeof left === "string" && typeof right === "string";
  if (!bothNumbers && !bothTexts) return false;
  const isLess = left < right;
  const isEven = left === right;
  return { gt: !isLess && !isEven, gte: !isLess, lt: isLess, lte: isLess || isEven }[op];
}

function isEqual(one: JsonValue, other: JsonValue): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

/** Text in text, an item in a list, fields with these values in an object. */
function holdsInside(found: JsonValue, part: JsonValue): boolean {
  if (typeof found === "string") return typeof part === "string" && found.includes(part);
  if (found === null || typeof found !== "object") return false;
  if (isList(found)) return found.some((item) => isEqual(item, part));
  if (part === null || typeof part !== "object" || isList(part)) return false;
  return Object.entries(part).every(([name, value]) => {
    const own = Object.hasOwn(found, name) ? found[name] : undefined;
    return own !== undefined && isEqual(own, value);
  });
}

function lengthOf(value: JsonValue): number | null {
  if (typeof value === "string") return value.length;
  if (value === null || typeof value !== "object") return null;
  return isList(value) ? value.length : Object.keys(value).length;
}

function hasLength(length: number | null, wanted: z.infer<typeof countSchema>): boolean {
  if (length === null) return false;
  if (typeof wanted === "number") return length === wanted;
  return length >= (wanted.min ?? 0) && length <= (wanted.max ?? Infinity);
}

function typeOf(value: JsonValue): (typeof TYPES)[number] {
  if (value === null) return "null";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return isList(value) ? "array" : "object";
}
