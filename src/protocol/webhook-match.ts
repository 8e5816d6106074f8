import * as z from "zod";

/* Conditions on what a notification says: `filters.match` of a registration (protocol.md §3). */

/** How much a filter may ask for (facts/webhooks.md §6.7); every event is held against it. */
const DEEPEST = 10;
const MOST_NODES = 100;
const MOST_ITEMS = 100;
const LONGEST_PATH = 500;
const LONGEST_TEXT = 1_000;

/** The operators of a comparison. */
export const MATCH_OPERATORS = [
  "$eq",
  "$ne",
  "$gt",
  "$gte",
  "$lt",
  "$lte",
  "$in",
  "$nin",
  "$exists",
  "$prefix",
] as const;
export type MatchOperator = (typeof MATCH_OPERATORS)[number];

const textSchema = z.string().max(LONGEST_TEXT);
const scalars = [textSchema, z.number(), z.boolean(), z.null()] as const;
const scalarSchema = z.union(scalars);
const orderedSchema = z.union([z.number(), textSchema]);
const scalarsSchema = z.array(scalarSchema).min(1).max(MOST_ITEMS);

const comparisonShape = {
  $eq: scalarSchema.optional(),
  $ne: scalarSchema.optional(),
  $gt: orderedSchema.optional(),
  $gte: orderedSchema.optional(),
  $lt: orderedSchema.optional(),
  $lte: orderedSchema.optional(),
  $in: scalarsSchema.optional(),
  $nin: scalarsSchema.optional(),
  $exists: z.boolean().optional(),
  $prefix: textSchema.min(1).optional(),
} satisfies Record<MatchOperator, z.ZodType>;

/** What must hold of the value at a path: all of it. Loose here, so that `examine` can name what it does not know. */
const comparisonSchema = z
  .looseObject(comparisonShape)
  .meta({ additionalProperties: false, minProperties: 1 });
export type MatchComparison = z.infer<typeof comparisonSchema>;

const conditionSchema = z
  .object({
    get $and() {
      return z.array(conditionSchema).min(1).max(MOST_ITEMS).optional();
    },
    get $or() {
      return z.array(conditionSchema).min(1).max(MOST_ITEMS).optional();
    },
    get $not() {
      return conditionSchema.optional();
    },
  })
  .catchall(z.union([...scalars, comparisonSchema]))
  .meta({
    id: "WebhookMatch",
    title: "Conditions on a notification",
    description:
      "Keys are dotted paths into the notification, such as data.progress_percentage or data.challenges.0; " +
      `a bare value means $eq. All of it must hold. At most ${DEEPEST} deep, ${MOST_NODES} nodes in all.`,
    minProperties: 1,
    propertyNames: { maxLength: LONGEST_PATH, pattern: "^([^$]|\\$(and|or|not)$)" },
  });
/** Conditions on a notification: all of `$and`, any of `$or`, not `$not`, and what is said of each path. */
export type WebhookMatch = z.infer<typeof conditionSchema>;

type Path = readonly (string | number)[];

/** What an examination has come upon so far. */
interface Findings {
  nodes: number;
  report: (path: Path, fault: string) => void;
}

const JOINS: ReadonlySet<string> = new Set(["$and", "$or", "$not"]);
const OPERATORS: ReadonlySet<string> = new Set(MATCH_OPERATORS);

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Looks for what the shape alone does not refuse. What breaks the shape is passed over: it is refused anyway. */
function examine(condition: unknown, path: Path, findings: Findings): void {
  if (!isObject(condition)) return;
  findings.nodes += 1;
  const depth = 1 + path.filter((part) => JOINS.has(String(part))).length;
  if (depth > DEEPEST) return findings.report(path, `at most ${DEEPEST} conditions in each other`);
  const entries = Object.entries(condition);
  if (entries.length === 0) findings.report(path, "must not be empty");
  for (const [key, inner] of entries) {
    if (!JOINS.has(key)) examineComparison(key, inner, { path: [...path, key], findings });
    else if (!Array.isArray(inner)) examine(inner, [...path, key], findings);
    else inner.forEach((item, index) => examine(item, [...path, key, index], findings));
  }
}

function examineComparison(
  key: string,
  comparison: unknown,
  { path, findings }: { path: Path; findings: Findings },
): void {
  if (key.startsWith("$")) {
    const valid = [...JOINS].join(", ");
    return findings.report(
      path,
      `no such operator; valid: ${valid}, or a path into the notification`,
    );
  }
  if (key === "" || key.length > LONGEST_PATH) {
    findings.report(path, `a path has 1-${LONGEST_PATH} characters`);
  }
  const operators = isObject(comparison) ? Object.keys(comparison) : ["$eq"];
  findings.nodes += operators.length;
  if (operators.length === 0) findings.report(path, "must not be empty");
  for (const operator of operators.filter((name) => !OPERATORS.has(name))) {
    findings.report([...path, operator], `no such operator; valid: ${MATCH_OPERATORS.join(", ")}`);
  }
}

/**
 * `filters.match` of a registration. A notification may never be the first to show that a filter is bad, so
 * everything is refused here: unknown operators, empty conditions, and more than an event can be held against.
 * There are no regular expressions, whose cost nobody can bound.
 */
export const webhookMatchSchema = conditionSchema.superRefine(
  (match, context) => {
    const findings: Findings = {
      nodes: 0,
      report: (path, message) => context.addIssue({ code: "custom", path: [...path], message }),
    };
    examine(match, [], findings);
    if (findings.nodes <= MOST_NODES) return;
    findings.report([], `at most ${MOST_NODES} conditions and operators, not ${findings.nodes}`);
  },
  // Judged whatever else is wrong, so that one answer lists every fault.
  { when: () => true },
);
