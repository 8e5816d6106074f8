import { isDeepStrictEqual } from "node:util";

import { z } from "zod";

/*
 * Whether a JSON Schema (2020-12, as zod writes it) still takes what it took, or still gives what it gave. Pure.
 *
 * Both are one question: does everything that fits the `inner` schema fit the `outer` one? Of input the inner one is
 * the old schema, of output the new one. Fields that come newly are welcome in output.
 */

/** Who writes what the schema describes: others to us, or we to others. */
export type Direction = "input" | "output";

/** Where a schema stands, and by which documents its references are resolved. */
export interface Place {
  at: string;
  direction: Direction;
  before: unknown;
  after: unknown;
  /** Pairs that are being compared further up: a schema that holds itself fits if all else does. */
  open: ReadonlySet<string>;
  /** What was found of named schemas before, with places inside them: the same ones stand in many places. */
  known: Map<string, string[]>;
  /** Places whose set of values may grow in answers, as `Schema/field`. */
  extensible: ReadonlySet<string>;
}

const sub = z.unknown();
const schemaForm = z.looseObject({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(sub).optional(),
  oneOf: z.array(sub).optional(),
  properties: z.record(z.string(), sub).optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: sub.optional(),
  propertyNames: sub.optional(),
  items: sub.optional(),
});
type Schema = z.infer<typeof schemaForm>;

/** Inner and outer schema. */
interface Two {
  inner: Schema;
  outer: Schema;
}

const componentsForm = z.looseObject({
  components: z.looseObject({ schemas: z.custom<Record<string, unknown>>() }),
});
const COMPONENT = "#/components/schemas/";

/** Schemas by the object they were parsed of: each stands in many comparisons. */
const forms = new WeakMap<object, Schema>();

/** Named schemas of a document, none where it has none. */
function schemasIn(document: unknown): Record<string, unknown> {
  return componentsForm.parse(document).components.schemas;
}

function formOf(schema: unknown): Schema {
  if (schema === undefined || schema === true) return {};
  if (schema === false) return { enum: [] };
  if (schema === null || typeof schema !== "object") return schemaForm.parse(schema);
  const form = forms.get(schema) ?? schemaForm.parse(schema);
  forms.set(schema, form);
  return form;
}

/** The schema that a reference names, with its name; any other schema as it is. */
function resolved(schema: Schema, document: unknown): { schema: Schema; name: string | null } {
  if (schema.$ref === undefined) return { schema, name: null };
  const name = schema.$ref.replace(COMPONENT, "");
  const { $ref: _, ...siblings } = schema;
  const target = formOf(schemasIn(document)[name]);
  return { schema: { ...target, ...siblings }, name };
}

/** Keywords that say nothing of which values fit. */
const NOTES = new Set(["title", "description", "default", "examples", "deprecated", "$id"]);

const isAny = (schema: Schema): boolean =>
  Object.entries(schema).every(([key, value]) => NOTES.has(key) || value === undefined);

/** The alternatives that a schema consists of: branches, types of a list, values of a set. */
function alternativesOf(schema: Schema): Schema[] {
  const { anyOf, oneOf, ...rest } = schema;
  const branches = anyOf ?? oneOf;
  if (branches !== undefined) {
    return branches.flatMap((branch) => alternativesOf({ ...rest, ...formOf(branch) }));
  }
  const { type, ...others } = rest;
  if (Array.isArray(type)) return type.flatMap((each) => alternativesOf({ ...others, type: each }));
  const { enum: values, ...untold } = rest;
  return values === undefined ? [rest] : values.map((value) => ({ ...untold, const: value }));
}

const isUnion = ({ anyOf, oneOf, type }: Schema): boolean =>
  anyOf !== undefined || oneOf !== undefined || Array.isArray(type);

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}

const show = (schema: Schema): string =>
  schema.const === undefined ? String(schema.type ?? "anything") : JSON.stringify(schema.const);

function typeChanges({ inner, outer }: Two, { at }: Place): string[] {
  if (outer.type === undefined) return [];
  const own = inner.const === undefined ? inner.type : typeOf(inner.const);
  const fits = own === outer.type || (own === "integer" && outer.type === "number");
  return fits ? [] : [`${at}: ${show(inner)} does not fit ${String(outer.type)}`];
}

function valueChanges({ inner, outer }: Two, place: Place): string[] {
  const valid = outer.const === undefined ? outer.enum : [outer.const];
  if (valid === undefined) return [];
  if (inner.const === undefined) return [`${place.at}: any value where only some fit`];
  if (valid.some((value) => isDeepStrictEqual(value, inner.const))) return [];
  if (place.direction === "output" && [...place.extensible].some((end) => place.at.endsWith(end))) {
    return [];
  }
  return [`${place.at}: value ${JSON.stringify(inner.const)} does not fit`];
}

const LOWER = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
const UPPER = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
const EQUAL = ["pattern", "format", "multipleOf", "uniqueItems", "not", "prefixItems", "allOf"];

function boundChanges({ inner, outer }: Two, { at }: Place): string[] {
  // A single value is known to fit its own schema; whether it lies within other bounds is not judged.
  if (inner.const !== undefined) return [];
  const isWithin = (key: string, isInside: (own: number, bound: number) => boolean): boolean => {
    const bound = outer[key];
    const own = inner[key];
    return typeof bound !== "number" || (typeof own === "number" && isInside(own, bound));
  };
  const strayed = [
    ...LOWER.filter((key) => !isWithin(key, (own, bound) => own >= bound)),
    ...UPPER.filter((key) => !isWithin(key, (own, bound) => own <= bound)),
    ...EQUAL.filter(
      (key) => outer[key] !== undefined && !isDeepStrictEqual(inner[key], outer[key]),
    ),
  ];
  return strayed.map(
    (key) =>
      `${at}: ${key} ${JSON.stringify(inner[key])} is wider than ${JSON.stringify(outer[key])}`,
  );
}

function propertyChanges({ inner, outer }: Two, place: Place): string[] {
  const { at, direction } = place;
  const own = inner.properties ?? {};
  const others = outer.properties ?? {};
  const old = direction === "input" ? own : others;
  const now = direction === "input" ? others : own;
  return Object.keys(old).flatMap((name) => {
    if (!(name in now)) return [`${at}/${name}: property removed`];
    const two = { inner: formOf(own[name]), outer: formOf(others[name]) };
    return changes(two, { ...place, at: `${at}/${name}` });
  });
}

function requiredChanges({ inner, outer }: Two, { at, direction }: Place): string[] {
  const said = direction === "input" ? "is required now" : "may be missing now";
  return (outer.required ?? [])
    .filter((name) => inner.required?.includes(name) !== true)
    .map((name) => `${at}/${name}: ${said}`);
}

/** What else an object or a list may hold. */
function innerChanges({ inner, outer }: Two, place: Place): string[] {
  const found: string[] = [];
  const rest = { inner: inner.additionalProperties, outer: outer.additionalProperties };
  if (outer.additionalProperties !== undefined && inner.additionalProperties !== false) {
    const two = { inner: formOf(rest.inner), outer: formOf(rest.outer) };
    found.push(...changes(two, { ...place, at: `${place.at}/*` }));
  }
  for (const key of ["propertyNames", "items"] as const) {
    if (outer[key] === undefined) continue;
    const two = { inner: formOf(inner[key]), outer: formOf(outer[key]) };
    found.push(...changes(two, { ...place, at: `${place.at}/${key === "items" ? "0" : "<key>"}` }));
  }
  return found;
}

function plainChanges(two: Two, place: Place): string[] {
  if (isAny(two.outer)) return [];
  const ofType = [...typeChanges(two, place), ...valueChanges(two, place)];
  if (ofType.length > 0 || two.inner.const !== undefined) return ofType;
  return [
    ...boundChanges(two, place),
    ...requiredChanges(two, place),
    ...propertyChanges(two, place),
    ...innerChanges(two, place),
  ];
}

/** The alternative that is meant: of those with the fewest changes the first. */
function nearest(attempts: readonly string[][]): string[] {
  return attempts.toSorted((a, b) => a.length - b.length)[0] ?? ["nothing fits"];
}

/** Whether nothing changed at all; what points elsewhere has to be looked at there. */
function isSame({ inner, outer }: Two): boolean {
  const text = JSON.stringify(inner);
  return !text.includes('"$ref"') && text === JSON.stringify(outer);
}

function changes(given: Two, place: Place): string[] {
  if (isSame(given)) return [];
  const [innerDocument, outerDocument] =
    place.direction === "input" ? [place.before, place.after] : [place.after, place.before];
  const inner = resolved(given.inner, innerDocument);
  const outer = resolved(given.outer, outerDocument);
  if (inner.name !== null && outer.name !== null) {
    const pair = `${place.direction} ${inner.name} ${outer.name}`;
    if (place.open.has(pair)) return [];
    const inside = { ...place, at: inner.name, open: new Set([...place.open, pair]) };
    const two = { inner: inner.schema, outer: outer.schema };
    const found = place.known.get(pair) ?? alternativeChanges(two, inside);
    place.known.set(pair, found);
    return found.map((change) => `${place.at} ${change}`);
  }
  return alternativeChanges({ inner: inner.schema, outer: outer.schema }, place);
}

function alternativeChanges({ inner, outer }: Two, place: Place): string[] {
  const valid = isUnion(outer) ? branchesOf(outer) : [outer];
  return alternativesOf(inner).flatMap((each) =>
    each.$ref === undefined && !isUnion(each)
      ? nearest(valid.map((other) => either({ inner: each, outer: other }, place)))
      : nearest(valid.map((other) => changes({ inner: each, outer: other }, place))),
  );
}

/** Branches of a union and types of a list; a set of values stays one, so that all of them are looked at. */
function branchesOf(schema: Schema): Schema[] {
  const { anyOf, oneOf, ...rest } = schema;
  const branches = anyOf ?? oneOf;
  if (branches !== undefined) {
    return branches.flatMap((branch) => branchesOf({ ...rest, ...formOf(branch) }));
  }
  const { type, ...others } = schema;
  return Array.isArray(type) ? type.map((each) => ({ ...others, type: each })) : [schema];
}

/** A plain inner schema beside an outer one that may still be a reference. */
function either(two: Two, place: Place): string[] {
  return two.outer.$ref === undefined ? plainChanges(two, place) : changes(two, place);
}

/**
 * How a schema broke its promise, each change with its place; empty when whoever kept to the old one is served as before.
 */
export function changesOfSchema(
  schemas: { before: unknown; after: unknown },
  place: Place,
): string[] {
  const before = formOf(schemas.before);
  const after = formOf(schemas.after);
  const two =
    place.direction === "input" ? { inner: before, outer: after } : { inner: after, outer: before };
  return changes(two, place);
}
