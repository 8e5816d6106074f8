import { ok, refuse, type Result } from "../../../../lib/result.ts";
import {
  escapePointer,
  isList,
  isObject,
  isSame,
  memberOf,
  pointerParts,
  textOf,
  valueAt,
} from "../../formats/json-value.ts";
import type { JsonObject, JsonValue } from "../../skill.ts";

/** One change of a document (RFC 6902), as `difference` makes them. */
export type Change =
  | { op: "add" | "replace"; path: string; value: JsonValue }
  | { op: "remove"; path: string };

/** Operations of one patch, and characters that copying may make of a document. */
const MOST_OPERATIONS = 1_000;
const MOST_CHARACTERS = 2_000_000;

/**
 * The patch (RFC 6902) that makes `after` of `before`.
 *
 * Arrays are compared between their equal beginnings and ends, item by item: exact, not always the shortest.
 */
export function difference(before: JsonValue, after: JsonValue, path = ""): Change[] {
  if (isList(before) && isList(after)) return differenceOfLists(before, after, path);
  if (!isObject(before) || !isObject(after)) {
    return isSame(before, after) ? [] : [{ op: "replace", path, value: after }];
  }
  const changes: Change[] = [];
  for (const [name, value] of Object.entries(before)) {
    const at = `${path}/${escapePointer(name)}`;
    const other = memberOf(after, name);
    if (other === undefined) changes.push({ op: "remove", path: at });
    else for (const change of difference(value, other, at)) changes.push(change);
  }
  for (const [name, value] of Object.entries(after)) {
    if (Object.hasOwn(before, name)) continue;
    changes.push({ op: "add", path: `${path}/${escapePointer(name)}`, value });
  }
  return changes;
}

function differenceOfLists(
  before: readonly JsonValue[],
  after: readonly JsonValue[],
  path: string,
): Change[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && isSame(before[head], after[head])) head += 1;
  let tail = 0;
  while (tail < shorter - head && isSame(before.at(-1 - tail), after.at(-1 - tail))) tail += 1;
  const changes: Change[] = [];
  for (let at = head; at < shorter - tail; at += 1) {
    const made = difference(before[at] ?? null, after[at] ?? null, `${path}/${at}`);
    for (const change of made) changes.push(change);
  }
  for (let at = before.length - tail - 1; at >= shorter - tail; at -= 1) {
    changes.push({ op: "remove", path: `${path}/${at}` });
  }
  for (let at = shorter - tail; at < after.length - tail; at += 1) {
    changes.push({ op: "add", path: `${path}/${at}`, value: after[at] ?? null });
  }
  return changes;
}

/**
 * A document after a JSON Patch (RFC 6902); the document given stays as it is. All or nothing.
 *
 * Refused with the number of the operation, from 0: what is no operation, a path to nothing, a `test` that fails, more
 * than a thousand operations, copies that grow the document beyond measure.
 */
export function applyPatch(document: JsonValue, patch: JsonValue): Result<JsonValue, string> {
  if (!isList(patch)) return refuse("a JSON Patch is an array of operations");
  if (patch.length > MOST_OPERATIONS)
    return refuse(`it has more than ${MOST_OPERATIONS} operations`);
  let value = document;
  for (const [at, operation] of patch.entries()) {
    const done = applyOne(value, operation);
    if (!done.ok) return refuse(`operation ${at}: ${done.refusal}`);
    value = done.value;
    const isCopy = isObject(operation) && operation["op"] === "copy";
    if (isCopy && JSON.stringify(value).length > MOST_CHARACTERS) {
      return refuse(`operation ${at}: the document grows beyond ${MOST_CHARACTERS} characters`);
    }
  }
  return ok(value);
}

function applyOne(document: JsonValue, operation: JsonValue): Result<JsonValue, string> {
  if (!isObject(operation)) return refuse("it is no object");
  const [op, value] = ["op", "value"].map((name) => memberOf(operation, name));
  const path = textOf(memberOf(operation, "path"));
  const to = pointerParts(path);
  if (to === null) return refuse('its "path" is no JSON pointer');
  if (op === "remove") return edit(document, to, { op });
  if (op === "add" || op === "replace") {
    if (value === undefined) return refuse('it has no "value"');
    return edit(document, to, { op, value });
  }
  if (op === "test") {
    const isEqual = isSame(valueAt(document, path), value);
    return isEqual ? ok(document) : refuse(`the value at "${path}" is another`);
  }
  return op === "move" || op === "copy"
    ? transfer(document, operation, { op, path, to })
    : refuse('its "op" must be add, remove, replace, move, copy or test');
}

function transfer(
  document: JsonValue,
  operation: JsonObject,
  { op, path, to }: { op: "move" | "copy"; path: string; to: readonly string[] },
): Result<JsonValue, string> {
  const from = memberOf(operation, "from");
  const source = typeof from === "string" ? pointerParts(from) : null;
  const value = source === null ? undefined : valueAt(document, textOf(from));
  if (source === null || value === undefined) return refuse('its "from" leads to nothing');
  if (op === "copy") return edit(document, to, { op: "add", value });
  if (path.startsWith(`${textOf(from)}/`)) return refuse("it moves a value into itself");
  if (path === from) return ok(document);
  const without = edit(document, source, { op: "remove" });
  return without.ok ? edit(without.value, to, { op: "add", value }) : without;
}

type Edit = { op: "add" | "replace"; value: JsonValue } | { op: "remove" };

function edit(here: JsonValue, path: readonly string[], change: Edit): Result<JsonValue, string> {
  const [name, ...rest] = path;
  if (name === undefined) {
    return change.op === "remove"
      ? refuse("the whole document can't be removed")
      : ok(change.value);
  }
  if (isList(here)) return editList(here, [name, ...rest], change);
  if (!isObject(here)) return refuse(`"${name}" leads into a ${typeof here}`);
  const member = memberOf(here, name);
  if (member === undefined && (rest.length > 0 || change.op !== "add")) {
    return refuse(`there is no "${name}"`);
  }
  return replaced(here, name, { member, rest, change });
}

function replaced(
  here: JsonObject,
  name: string,
  {
    member,
    rest,
    change,
  }: { member: JsonValue | undefined; rest: readonly string[]; change: Edit },
): Result<JsonValue, string> {
  const entries = new Map(Object.entries(here));
  if (rest.length === 0 && change.op === "remove") {
    entries.delete(name);
    return ok(Object.fromEntries(entries));
  }
  const inner = rest.length === 0 ? edit(null, [], change) : edit(member ?? null, rest, change);
  return inner.ok ? ok(Object.fromEntries(entries.set(name, inner.value))) : inner;
}

function editList(
  here: readonly JsonValue[],
  [name = "", ...rest]: readonly string[],
  change: Edit,
): Result<JsonValue, string> {
  const op = rest.length === 0 ? change.op : "replace";
  const at = name === "-" && op === "add" ? here.length : indexOf(name);
  if (at >= here.length + (op === "add" ? 1 : 0)) return refuse(`there is no item ${name}`);
  if (op === "remove") return ok(here.toSpliced(at, 1));
  if (op === "add") return ok(here.toSpliced(at, 0, "value" in change ? change.value : null));
  const inner = edit(here[at] ?? null, rest, change);
  return inner.ok ? ok(here.with(at, inner.value)) : inner;
}

/** Beyond every array for what is no index. */
function indexOf(name: string): number {
  return /^(?:0|[1-9]\d*)$/.test(name) ? Number(name) : Number.POSITIVE_INFINITY;
}
