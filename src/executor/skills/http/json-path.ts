import { isList } from "../formats/json-value.ts";
import type { JsonValue } from "../skill.ts";

/** Characters and steps of a path. */
const LONGEST_PATH = 500;
const DEEPEST = 50;

const STEP =
  /\.?([A-Za-z0-9_$@-]+)|\[(-?\d{1,9})\]|\["((?:[^"\\]|\\.)*)"\]|\['((?:[^'\\]|\\.)*)'\]/y;

/** What a path must be, in words. */
export const PATH_RULE =
  'a path such as $.items[0].name, $.items[-1], or $["a name with.dots"]: names and indexes only, at most 500 characters';

/**
 * The steps of a path: the part of JSONPath (RFC 9535) that names one value. Null when it is another.
 *
 * `$` is the whole document and may be left out. A negative index counts from the end.
 */
export function pathSteps(path: string): readonly (string | number)[] | null {
  if (path.length > LONGEST_PATH) return null;
  const isRooted = path.startsWith("$") && !/^\$[A-Za-z0-9_$@-]/.test(path);
  const rest = isRooted ? path.slice(1) : path;
  const steps: (string | number)[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < rest.length) {
    // After the root and after another step a name needs its full stop.
    const needsStop = isRooted || STEP.lastIndex > 0;
    const step = stepOf(STEP.exec(rest), needsStop);
    if (step === null || steps.length === DEEPEST) return null;
    steps.push(step);
  }
  return path === "" ? null : steps;
}

function stepOf(found: RegExpExecArray | null, needsStop: boolean): string | number | null {
  if (found === null) return null;
  const [whole, name, index, double, single] = found;
  if (name !== undefined) return needsStop === whole.startsWith(".") ? name : null;
  return index === undefined ? unescaped(double ?? single ?? "") : Number(index);
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, "$1");
}

/** The value at a path that `pathSteps` knows; undefined where there is none. */
export function valueAt(root: JsonValue, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = root;
  for (const step of pathSteps(path) ?? []) {
    if (value === undefined || value === null || typeof value !== "object") return undefined;
    if (isList(value)) {
      value =
        typeof step === "number" || /^\d{1,9}$/.test(step) ? value.at(Number(step)) : undefined;
    } else {
      value = Object.hasOwn(value, String(step)) ? value[String(step)] : undefined;
    }
  }
  return value;
}
