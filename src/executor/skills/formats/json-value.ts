import type { JsonObject, JsonValue } from "../skill.ts";

/** Whether a value is an object: no array, not null. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !isList(value);
}

/** Whether a value is an array; Array.isArray does not know read-only ones. */
export function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Own member of an object, undefined where there is none: never one of its prototype. */
export function memberOf(value: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Whether two values are the same JSON; the order of names does not count. */
export function isSame(left: JsonValue | undefined, right: JsonValue | undefined): boolean {
  if (left === right) return true;
  if (isList(left) && isList(right)) {
    return left.length === right.length && left.every((item, at) => isSame(item, right[at]));
  }
  if (!isObject(left) || !isObject(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every(
      (name) => Object.hasOwn(right, name) && isSame(memberOf(left, name), memberOf(right, name)),
    )
  );
}

/** A name as a part of a JSON pointer (RFC 6901). */
export function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** The names of a JSON pointer (RFC 6901), or null when it is none. */
export function pointerParts(pointer: string): string[] | null {
  if (pointer === "") return [];
  if (!pointer.startsWith("/") || /~(?![01])/.test(pointer)) return null;
  const parts = pointer.slice(1).split("/");
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** The value at a JSON pointer, undefined where there is none. */
export function valueAt(root: JsonValue, pointer: string): JsonValue | undefined {
  let here: JsonValue | undefined = root;
  for (const part of pointerParts(pointer) ?? ["", ""]) {
    if (isList(here)) here = /^(?:0|[1-9]\d*)$/.test(part) ? here[Number(part)] : undefined;
    else here = isObject(here) ? memberOf(here, part) : undefined;
  }
  return here;
}

/** Every value that holds no other (an empty object or array is one), by its pointer, in the order of the document. */
export function leavesOf(value: JsonValue): Map<string, JsonValue> {
  const leaves = new Map<string, JsonValue>();
  const walk = (each: JsonValue, pointer: string) => {
    const members = typeof each === "object" && each !== null ? Object.entries(each) : [];
    if (members.length === 0) leaves.set(pointer, each);
    for (const [name, inner] of members) walk(inner, `${pointer}/${escapePointer(name)}`);
  };
  walk(value, "");
  return leaves;
}

/** What type a value has, in JSON's words, with whole numbers apart. */
export function typeOf(value: JsonValue | undefined): string {
  if (value === null) return "null";
  if (isList(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

/** A value as text: a text as it is, anything else as JSON. */
export function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
