import type { JsonObject } from "../../protocol/primitives.ts";
import { mergedFaults } from "./patch.ts";
import type { SettledTask } from "./state.ts";

/**
 * What an executor may suggest to change of its task: how long it may take and how it is worked on. What is
 * asked for, what it may cost and who may do it are the orchestrator's alone.
 */
const SAFE_PATHS: readonly (readonly [string, ...string[]])[] = [
  ["timeout"],
  ["heartbeat_timeout"],
  ["stall_timeout"],
  ["estimated_duration"],
  ["progress_interval"],
  ["parameters", "configuration"],
  ["execution_options", "model_preference"],
];

/** What becomes of suggested modifications. */
export interface Judgement {
  /** A merge patch that gives a valid request; null when nothing is left of the suggestion. */
  patch: JsonObject | null;
  ignored: { pointer: string; reason: string }[];
}

/** One suggested change: a leaf of the patch, or a whole field that is safe. */
interface Change {
  path: readonly string[];
  value: unknown;
}

function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

const isSafe = (path: readonly string[]): boolean =>
  SAFE_PATHS.some((safe) => safe.join("/") === path.join("/"));

/** The changes of a suggestion; what leads towards a safe field is looked into. */
function changesOf(suggestion: JsonObject, above: readonly string[] = []): Change[] {
  return Object.entries(suggestion).flatMap(([key, value]) => {
    const path = [...above, key];
    const leadsOn = SAFE_PATHS.some(
      (safe) => safe.length > path.length && path.every((part, index) => part === safe[index]),
    );
    return leadsOn && isObject(value) ? changesOf(value, path) : [{ path, value }];
  });
}

function patchOf(changes: readonly Change[]): JsonObject {
  const patch: JsonObject = {};
  for (const { path, value } of changes) {
    const [first = "", second] = path;
    if (second === undefined) patch[first] = value;
    else patch[first] = { ...(isObject(patch[first]) ? patch[first] : {}), [second]: value };
  }
  return patch;
}

const pointerTo = ({ path }: Change): string => `/${path.join("/")}`;

/**
 * The part of a suggestion that the next attempt is given, and what is ignored of it and why.
 *
 * Only safe fields count, and only in so far as the request stays valid: a change that breaks it is left out,
 * the others are judged again without it.
 */
export function judgeSuggestion(task: SettledTask, suggestion: JsonObject): Judgement {
  const all = changesOf(suggestion);
  const ignored = all
    .filter(({ path }) => !isSafe(path))
    .map((change) => ({
      pointer: pointerTo(change),
      reason: "only the orchestrator may change this",
    }));
  let changes = all.filter(({ path }) => isSafe(path));
  while (changes.length > 0) {
    const patch = patchOf(changes);
    const faults = mergedFaults(task, patch);
    if (faults.length === 0) return { patch, ignored };
    const faultOf = (change: Change) =>
      faults.find(({ pointer }) => `${pointer}/`.startsWith(`${pointerTo(change)}/`));
    const blamed = changes.filter((change) => faultOf(change) !== undefined);
    // A fault elsewhere: together they break what none of them names, so none is taken.
    const dropped = blamed.length > 0 ? blamed : changes;
    ignored.push(
      ...dropped.map((change) => ({
        pointer: pointerTo(change),
        reason: (faultOf(change) ?? faults[0])?.detail ?? "the request would not be valid",
      })),
    );
    changes = changes.filter((change) => !dropped.includes(change));
  }
  return { patch: null, ignored };
}
