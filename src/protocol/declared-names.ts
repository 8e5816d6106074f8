import * as z from "zod";

import { pointerOf } from "./faults.ts";
import { LONGEST_NAME } from "./validation-record.ts";

/** The names of fields that a schema declares: at its top, and anywhere in it. */
export interface DeclaredNames {
  top: ReadonlySet<string>;
  all: ReadonlySet<string>;
}

/** An index of a list; longer numbers may be keys that somebody chose. */
const INDEX = /^\d{1,4}$/;

const nodeSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
  $ref: z.string().optional(),
});

function collect(node: unknown, all: Set<string>): void {
  if (node === null || typeof node !== "object") return;
  const parsed = nodeSchema.safeParse(node);
  for (const name of Object.keys(parsed.data?.properties ?? {})) all.add(name);
  for (const inner of Object.values(node)) collect(inner, all);
}

/** The names of an object, whichever of its alternatives it is. */
function topOf(node: unknown, definitions: unknown): string[] {
  const parsed = nodeSchema.safeParse(node);
  if (!parsed.success) return [];
  const { properties = {}, anyOf = [], oneOf = [], allOf = [], $ref } = parsed.data;
  const name = $ref?.startsWith("#/$defs/") === true ? $ref.slice("#/$defs/".length) : null;
  const definition: unknown =
    name !== null && definitions !== null && typeof definitions === "object"
      ? Reflect.get(definitions, name)
      : undefined;
  const inner = [...anyOf, ...oneOf, ...allOf, definition];
  return [...Object.keys(properties), ...inner.flatMap((one) => topOf(one, definitions))];
}

const known = new WeakMap<z.ZodType, DeclaredNames>();

/** The names that a schema declares. They are found once: it takes a millisecond. */
export function declaredNames(schema: z.ZodType): DeclaredNames {
  const found = known.get(schema);
  if (found !== undefined) return found;
  const json = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  const all = new Set<string>();
  collect(json, all);
  const names = { top: new Set(topOf(json, json.$defs)), all };
  known.set(schema, names);
  return names;
}

/** A JSON Pointer in which everything but declared names and indexes is `*`: a name that somebody chose may be a secret. */
export function maskedPointer(pointer: string, declared: ReadonlySet<string>): string {
  return pointer
    .split("/")
    .map((part, place) => (place === 0 || declared.has(part) || INDEX.test(part) ? part : "*"))
    .join("/");
}

/** The places that one message names at most. */
const MOST_PLACES = 20;

/** Where a message breaks its schema: pointers that are masked, the root as `/`, and what is wrong there. */
export function placesOf(
  schema: z.ZodType,
  error: z.ZodError,
): { pointer: string; code: string }[] {
  const { all } = declaredNames(schema);
  return error.issues.slice(0, MOST_PLACES).map(({ path, code }) => ({
    pointer: maskedPointer(pointerOf(path), all).slice(0, LONGEST_NAME) || "/",
    code,
  }));
}
