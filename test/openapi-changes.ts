import { isDeepStrictEqual } from "node:util";

import { z } from "zod";

import { changesOfSchema } from "./schema-changes.ts";
import type { Direction, Place } from "./schema-changes.ts";

/* Which changes of an OpenAPI 3.1 document break its users (of both directions: who calls us, and whom we call). Pure. */

const anyRecord = z.record(z.string(), z.unknown());
const mediaSchema = z.looseObject({ schema: z.unknown().optional() });
const contentSchema = z.record(z.string(), mediaSchema).default({});
const responseSchema = z.looseObject({
  content: contentSchema,
  headers: anyRecord.default({}),
});
const bodySchema = z.looseObject({ required: z.boolean().default(false), content: contentSchema });
const parameterSchema = z.looseObject({
  name: z.string(),
  in: z.string(),
  required: z.boolean().default(false),
  schema: z.unknown().optional(),
});
const operationSchema = z.looseObject({
  operationId: z.string().optional(),
  security: z.array(z.record(z.string(), z.array(z.string()))).default([]),
  parameters: z.array(z.unknown()).default([]),
  requestBody: z.unknown().optional(),
  responses: anyRecord.default({}),
});
type Operation = z.infer<typeof operationSchema>;
const documentSchema = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationSchema)).default({}),
  webhooks: z.record(z.string(), z.record(z.string(), operationSchema)).default({}),
  components: z.looseObject({}).default({}),
  "x-problems": z.record(z.string(), z.looseObject({ status: z.int() })).default({}),
});
type Document = z.infer<typeof documentSchema>;

/**
 * Sets that may grow in answers: whoever meets an unknown code goes by its status, and shows a finding of an unknown rule
 * by its title, as the schemas say; and `by` gives back what was asked.
 */
const EXTENSIBLE = new Set(["Problem/code", "Insight/rule", "Insight/subject/kind", "Metrics/by"]);

/** Two documents, the frozen one and the one of today. */
interface Pair {
  before: Document;
  after: Document;
  /** What the comparison of named schemas has found so far. */
  known: Map<string, string[]>;
}

/** What a local reference points to; anything else is itself. */
function resolved(document: Document, value: unknown): unknown {
  const reference = z.looseObject({ $ref: z.string() }).safeParse(value);
  if (!reference.success) return value;
  const { $ref, ...siblings } = reference.data;
  const target = $ref
    .split("/")
    .slice(1)
    .reduce<unknown>((inner, step) => anyRecord.safeParse(inner).data?.[step], document);
  return { ...anyRecord.parse(resolved(document, target)), ...siblings };
}

function schemaChanges(
  pair: Pair,
  forms: { before: unknown; after: unknown },
  place: Pick<Place, "at" | "direction">,
): string[] {
  return changesOfSchema(forms, {
    ...place,
    ...pair,
    open: new Set(),
    extensible: EXTENSIBLE,
  });
}

/** Media types that are gone, and what changed in those that are left. */
function contentChanges(
  pair: Pair,
  contents: { before: z.infer<typeof contentSchema>; after: z.infer<typeof contentSchema> },
  { at, direction }: { at: string; direction: Direction },
): string[] {
  return Object.entries(contents.before).flatMap(([type, { schema: before }]) => {
    const media = contents.after[type];
    if (media === undefined) return [`${at}: media type ${type} removed`];
    return schemaChanges(pair, { before, after: media.schema }, { at, direction });
  });
}

function parameterChanges(pair: Pair, at: string, before: Operation, after: Operation): string[] {
  const parse = (document: Document, operation: Operation) =>
    new Map(
      operation.parameters
        .map((each) => parameterSchema.parse(resolved(document, each)))
        .map((each) => [`${each.in} ${each.name}`, each] as const),
    );
  const old = parse(pair.before, before);
  const now = parse(pair.after, after);
  const ofOld = [...old].flatMap(([name, parameter]) => {
    const same = now.get(name);
    const where = `${at} ${name}`;
    if (same === undefined) return [`${where}: parameter removed`];
    const isStricter = same.required && !parameter.required;
    return [
      ...(isStricter ? [`${where}: parameter is required now`] : []),
      ...schemaChanges(
        pair,
        { before: parameter.schema, after: same.schema },
        { at: where, direction: "input" },
      ),
    ];
  });
  const ofNew = [...now]
    .filter(([name, { required }]) => required && !old.has(name))
    .map(([name]) => `${at} ${name}: new required parameter`);
  return [...ofOld, ...ofNew];
}

function bodyChanges(
  pair: Pair,
  bodies: { before: unknown; after: unknown },
  where: { at: string; direction: Direction },
): string[] {
  const at = `${where.at} body`;
  const after = bodySchema.optional().parse(resolved(pair.after, bodies.after));
  if (bodies.before === undefined) {
    return after?.required === true ? [`${at}: a body is required now`] : [];
  }
  const before = bodySchema.parse(resolved(pair.before, bodies.before));
  if (after === undefined) return [`${at}: body removed`];
  return [
    ...(after.required && !before.required ? [`${at}: a body is required now`] : []),
    ...contentChanges(
      pair,
      { before: before.content, after: after.content },
      { at, direction: where.direction },
    ),
  ];
}

function responseChanges(
  pair: Pair,
  responses: { before: Record<string, unknown>; after: Record<string, unknown> },
  where: { at: string; direction: Direction },
): string[] {
  return Object.entries(responses.before).flatMap(([status, response]) => {
    const at = `${where.at} ${status}`;
    if (responses.after[status] === undefined) return [`${at}: status removed`];
    const before = responseSchema.parse(resolved(pair.before, response));
    const after = responseSchema.parse(resolved(pair.after, responses.after[status]));
    const lostHeaders = Object.keys(before.headers).filter((name) => !(name in after.headers));
    return [
      ...lostHeaders.map((name) => `${at}: header ${name} removed`),
      ...contentChanges(
        pair,
        { before: before.content, after: after.content },
        { at, direction: where.direction },
      ),
    ];
  });
}

/** Who got in before and does not now. No requirement at all lets everyone in. */
function securityChanges(at: string, before: Operation, after: Operation): string[] {
  if (after.security.length === 0) return [];
  if (before.security.length === 0) return [`${at}: a key is needed now`];
  const isMet = (requirement: Record<string, string[]>): boolean =>
    after.security.some(
      (each) =>
        Object.entries(each).every(([scheme, scopes]) =>
          scopes.every((scope) => requirement[scheme]?.includes(scope) === true),
        ) && Object.keys(each).every((scheme) => scheme in requirement),
    );
  return before.security
    .filter((requirement) => !isMet(requirement))
    .map((requirement) => `${at}: ${JSON.stringify(requirement)} is not enough any more`);
}

function operationChanges(pair: Pair, at: string, before: Operation, after: Operation): string[] {
  const isRenamed = before.operationId !== after.operationId;
  const bodies = { before: before.requestBody, after: after.requestBody };
  const responses = { before: before.responses, after: after.responses };
  return [
    ...(isRenamed ? [`${at}: operationId ${before.operationId} changed`] : []),
    ...parameterChanges(pair, at, before, after),
    ...bodyChanges(pair, bodies, { at, direction: "input" }),
    ...responseChanges(pair, responses, { at, direction: "output" }),
    ...securityChanges(at, before, after),
  ];
}

/** Of what is sent to others the directions are the other way round. */
function webhookChanges(pair: Pair, at: string, before: Operation, after: Operation): string[] {
  const bodies = { before: before.requestBody, after: after.requestBody };
  const responses = { before: before.responses, after: after.responses };
  return [
    ...bodyChanges(pair, bodies, { at, direction: "output" }),
    ...responseChanges(pair, responses, { at, direction: "input" }),
  ];
}

function eachOperation(
  pair: Pair,
  group: "paths" | "webhooks",
  compare: typeof operationChanges,
): string[] {
  return Object.entries(pair.before[group]).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, before]) => {
      const at = `${method.toUpperCase()} ${path}`;
      const after = pair.after[group][path]?.[method];
      return after === undefined ? [`${at}: removed`] : compare(pair, at, before, after);
    }),
  );
}

function problemChanges({ before, after }: Pair): string[] {
  return Object.entries(before["x-problems"]).flatMap(([code, { status }]) => {
    const now = after["x-problems"][code];
    if (now === undefined) return [`problem ${code}: removed`];
    return now.status === status ? [] : [`problem ${code}: status ${status} became ${now.status}`];
  });
}

/**
 * Every change between two documents that can break a program which was right about the first, each with its place:
 * what is gone, what is asked for newly, what is refused newly, and what is answered newly.
 *
 * @throws ZodError for what is no OpenAPI document
 */
export function breakingChanges(before: unknown, after: unknown): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const pair = {
    before: documentSchema.parse(before),
    after: documentSchema.parse(after),
    known: new Map<string, string[]>(),
  };
  return [
    ...new Set([
      ...eachOperation(pair, "paths", operationChanges),
      ...eachOperation(pair, "webhooks", webhookChanges),
      ...problemChanges(pair),
    ]),
  ];
}
