import { isObject } from "../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../skill.ts";
import type { Page } from "./page.ts";
import type { Words } from "./words.ts";

/** References followed one after another before they count as a circle. */
const LONGEST_CHAIN = 20;

/** What the writers of schemas share: the document that references point into, the page, the words. */
export interface SchemaSource {
  root: JsonObject;
  page: Page;
  words: Words;
}

/** The value as an object; anything else as an empty one. */
export function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

/** The value as a list; anything else as an empty one. */
export function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : [];
}

/** The own field of an object, whatever it is called. */
export function fieldOf(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** What a local reference (`#/a/b`, RFC 6901) points at; undefined for nothing, or another document. */
export function resolve(root: JsonObject, reference: string): JsonValue | undefined {
  if (reference === "#") return root;
  if (!reference.startsWith("#/")) return undefined;
  let at: JsonValue | undefined = root;
  for (const part of reference.slice(2).split("/")) {
    const name = pointerPart(part);
    if (Array.isArray(at)) at = (at as readonly JsonValue[])[Number(name)];
    else if (isObject(at)) at = fieldOf(at, name);
    else return undefined;
  }
  return at;
}

/** The object behind a reference, or the value itself. Circles and dead ends give an empty object, and are told. */
export function dereferenced(
  { root, page }: SchemaSource,
  value: JsonValue | undefined,
): JsonObject {
  let at = value;
  for (let step = 0; step < LONGEST_CHAIN; step += 1) {
    if (!isObject(at)) return {};
    const reference = fieldOf(at, "$ref");
    if (typeof reference !== "string") return at;
    at = resolve(root, reference);
    page.refer(reference, at !== undefined);
  }
  return {};
}

/** A part of a JSON pointer as the name that it stands for. */
export function pointerPart(part: string): string {
  return decoded(part).replaceAll("~1", "/").replaceAll("~0", "~");
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Not percent-encoded after all.
    return part;
  }
}
