import type { JsonObject } from "../../protocol/primitives.ts";
import {
  MATCH_OPERATORS,
  type MatchComparison,
  type MatchOperator,
  type WebhookMatch,
} from "../../protocol/webhook-match.ts";

/**
 * Whether a notification meets the conditions of an endpoint. Never throws, whatever the notification holds.
 *
 * Values are compared with their own type only: a number is never equal to, above or below a text. A path that
 * leads nowhere satisfies `$exists: false`, `$ne` and `$nin`, and nothing else. A path goes through what the
 * notification itself holds, never through what all objects or arrays have.
 */
export function matches(match: WebhookMatch, notification: JsonObject): boolean {
  const { $and, $or, $not, ...paths } = match;
  return (
    ($and ?? []).every((inner) => matches(inner, notification)) &&
    ($or === undefined || $or.some((inner) => matches(inner, notification))) &&
    ($not === undefined || !matches($not, notification)) &&
    Object.entries(paths).every(([path, wanted]) => {
      const comparison = wanted !== null && typeof wanted === "object" ? wanted : { $eq: wanted };
      return holds(comparison, valueAt(notification, path));
    })
  );
}

type Test = (value: unknown, operand: unknown) => boolean;

/** What each operator asks of a value; undefined is one that is not there. */
const TESTS: Readonly<Record<MatchOperator, Test>> = {
  $eq: (value, operand) => value === operand,
  $ne: (value, operand) => value !== operand,
  $gt: (value, operand) => order(value, operand) > 0,
  $gte: (value, operand) => order(value, operand) >= 0,
  $lt: (value, operand) => order(value, operand) < 0,
  $lte: (value, operand) => order(value, operand) <= 0,
  $in: (value, operand) => isAmong(value, operand),
  $nin: (value, operand) => !isAmong(value, operand),
  $exists: (value, operand) => (value !== undefined) === operand,
  $prefix: (value, operand) =>
    typeof value === "string" && typeof operand === "string" && value.startsWith(operand),
};

function holds(comparison: MatchComparison, value: unknown): boolean {
  return MATCH_OPERATORS.every((operator) => {
    const operand = comparison[operator];
    return operand === undefined || TESTS[operator](value, operand);
  });
}

/** Below, equal or above as -1, 0 or 1; NaN, which is none of it, for anything but two numbers or two texts. */
function order(value: unknown, operand: unknown): number {
  if (typeof value === "number" && typeof operand === "number") return compare(value, operand);
  if (typeof value === "string" && typeof operand === "string") return compare(value, operand);
  return Number.NaN;
}

function compare<Value extends number | string>(one: Value, other: Value): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

function isAmong(value: unknown, operand: unknown): boolean {
  return Array.isArray(operand) && operand.includes(value);
}

function valueAt(notification: JsonObject, path: string): unknown {
  let value: unknown = notification;
  for (const part of path.split(".")) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, part))
      return undefined;
    // An array's length is its own, but no part of the JSON.
    if (Array.isArray(value) && part === "length") return undefined;
    value = (value as JsonObject)[part];
  }
  return value;
}
