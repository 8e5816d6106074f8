import { ok, refuse, type Result } from "../../../../lib/result.ts";
import { isList, isObject, isSame, leavesOf, memberOf } from "../../formats/json-value.ts";
import type { JsonValue } from "../../skill.ts";
import { applyPatch } from "./json-patch.ts";

export const MODES = ["deep", "merge_patch", "json_patch"] as const;
export const ARRAYS = ["replace", "append", "by_key"] as const;

export interface MergeOptions {
  mode: (typeof MODES)[number];
  arrays: (typeof ARRAYS)[number];
  /** Name by whose value items of arrays are the same, for `by_key`. */
  array_key: string;
}

export interface Layer {
  name: string;
  value: JsonValue;
}

/** A value that a later layer changed or took away. */
export interface Override {
  pointer: string;
  by: string;
  set_by: string;
  before: JsonValue;
  /** Absent where the layer took the value away. */
  after?: JsonValue;
}

export interface Merged {
  value: JsonValue;
  /** Layer that gave each value its present form, by pointer. */
  origins: Map<string, string>;
  overrides: Override[];
}

/**
 * Lays documents on each other, the first lowest, and tells which one set each value.
 *
 * - deep: objects merge, everything else replaces; arrays by `arrays`
 * - merge_patch: RFC 7396; null deletes
 * - json_patch: RFC 6902; the first layer is the document, each other one a patch of it
 */
export function mergeLayers(
  layers: readonly Layer[],
  options: MergeOptions,
): Result<Merged, { layer: string; detail: string }> {
  const [first, ...others] = layers;
  if (first === undefined) return refuse({ layer: "", detail: "there is nothing to merge" });
  let value = first.value;
  let leaves = leavesOf(value);
  const origins = new Map([...leaves.keys()].map((pointer) => [pointer, first.name]));
  const overrides: Override[] = [];
  for (const { name, value: layer } of others) {
    const next = applied(value, layer, options);
    if (!next.ok) return refuse({ layer: name, detail: next.refusal });
    value = next.value;
    const after = leavesOf(value);
    for (const [pointer, before] of leaves) {
      const now = after.get(pointer);
      if (isSame(before, now)) continue;
      const set_by = origins.get(pointer) ?? first.name;
      overrides.push({
        pointer,
        by: name,
        set_by,
        before,
        ...(now === undefined ? {} : { after: now }),
      });
      if (now === undefined) origins.delete(pointer);
      else origins.set(pointer, name);
    }
    for (const pointer of after.keys()) if (!origins.has(pointer)) origins.set(pointer, name);
    leaves = after;
  }
  return ok({ value, origins, overrides });
}

function applied(
  value: JsonValue,
  layer: JsonValue,
  options: MergeOptions,
): Result<JsonValue, string> {
  if (options.mode === "json_patch") return applyPatch(value, layer);
  return ok(options.mode === "deep" ? mergeDeep(value, layer, options) : patched(value, layer));
}

/** RFC 7396, with names such as `__proto__` as data. */
function patched(target: JsonValue, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const merged = new Map(isObject(target) ? Object.entries(target) : []);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, patched(merged.get(name) ?? null, value));
  }
  return Object.fromEntries(merged);
}

function mergeDeep(lower: JsonValue, upper: JsonValue, options: MergeOptions): JsonValue {
  if (isObject(lower) && isObject(upper)) {
    const merged = new Map(Object.entries(lower));
    for (const [name, value] of Object.entries(upper)) {
      const below = merged.get(name);
      merged.set(name, below === undefined ? value : mergeDeep(below, value, options));
    }
    return Object.fromEntries(merged);
  }
  if (!isList(lower) || !isList(upper) || options.arrays === "replace") return upper;
  return options.arrays === "append" ? [...lower, ...upper] : mergeByKey(lower, upper, options);
}

/** Items without the key are appended, as are those whose key is new. */
function mergeByKey(
  lower: readonly JsonValue[],
  upper: readonly JsonValue[],
  options: MergeOptions,
): JsonValue[] {
  const merged = [...lower];
  const keyOf = (item: JsonValue | undefined) =>
    isObject(item) ? JSON.stringify(memberOf(item, options.array_key)) : undefined;
  const places = new Map(merged.map((item, at) => [keyOf(item), at]));
  for (const item of upper) {
    const key = keyOf(item);
    const at = key === undefined ? undefined : places.get(key);
    if (at === undefined) places.set(key, merged.push(item) - 1);
    else merged[at] = mergeDeep(merged[at] ?? null, item, options);
  }
  return merged;
}
