import type { JsonObject } from "../skill.ts";
import { excerptOf, type Diagnosis } from "./diagnosis.ts";
import type { Frame } from "./frames.ts";
import { knownCause, type KnownCause } from "./known-causes.ts";
import { fingerprintOf } from "./templates.ts";
import type { Thrown, Trace } from "./traces.ts";

/** Frames of one trace that are told: those beyond are loops or frameworks. */
const MAX_FRAMES = 50;
const MAX_GROUPS = 50;

/**
 * What one or more traces say: the commonest one in full, all of them grouped by fingerprint.
 *
 * The culprit is the innermost frame of the user's own code, looked for in the root cause first.
 *
 * @param files sources by path, for an excerpt
 */
export function diagnoseTraces(
  traces: readonly Trace[],
  files: Readonly<Record<string, string>>,
): Diagnosis | null {
  const groups = groupsOf(traces);
  const main = groups[0]?.trace;
  if (main === undefined) return null;
  const root = main.causes.at(-1) ?? main;
  const known = causeOf(main, root);
  const culprit = culpritOf(main);
  const said = wordingOf(root);
  const place = culprit === null ? "" : ` at ${placeOf(culprit)}`;
  const begin = culprit?.own === true ? [`Begin at ${placeOf(culprit)}.`] : [];
  return {
    kind: "trace",
    diagnosis: `${said}${place}. ${known.explanation}`,
    root_cause: {
      class: known.class,
      detail: known.explanation,
      evidence: `${said}${place}.`,
    },
    location: culprit === null ? null : locationOf(culprit),
    suggestions: [...begin, ...known.suggestions],
    certainty: known === UNKNOWN ? 0.6 : begin.length > 0 ? 1 : 0.8,
    coverage: culprit === null ? 0.5 : 1,
    more: {
      ...factsOf(main),
      excerpt: culprit === null ? null : excerptAt(culprit, files),
      traces: traces.length,
      groups: groups.slice(0, MAX_GROUPS).map(groupRow),
    },
  };
}

function causeOf(main: Thrown, root: Thrown): KnownCause {
  const known = knownCause(root.type, root.message) ?? knownCause(main.type, main.message);
  return known ?? UNKNOWN;
}

const UNKNOWN: KnownCause = {
  class: "unknown_error",
  explanation: "The error is of no kind that is known here.",
  suggestions: [],
};

function locationOf({ file, line, column }: Frame) {
  return { file, line, column };
}

function placeOf({ file, function: fn, line }: Frame): string {
  return `${file ?? fn ?? "an unnamed place"}${line === null ? "" : `:${line}`}`;
}

function factsOf(trace: Trace): JsonObject {
  const frames = framesOf(trace);
  return {
    language: trace.language,
    error: { type: trace.type, message: trace.message.slice(0, 2_000) },
    causes: trace.causes.map(({ type, message }) => ({ type, message: message.slice(0, 1_000) })),
    frames: frames.slice(0, MAX_FRAMES),
    frames_left_out: Math.max(0, frames.length - MAX_FRAMES),
  };
}

function excerptAt(culprit: Frame, files: Readonly<Record<string, string>>): string | null {
  if (culprit.line === null) return null;
  const source = sourceOf(culprit, files);
  return source === null ? null : excerptOf(source, culprit.line, culprit.column);
}

function wordingOf({ type, message }: Thrown): string {
  const first = message.split("\n")[0]?.slice(0, 300) ?? "";
  return [type, first].filter((each) => each !== "").join(": ") || "An error without a name";
}

/** Frames of the root cause: what it says is nearest to the fault. */
function framesOf(trace: Trace): Frame[] {
  const root = trace.causes.findLast(({ frames }) => frames.length > 0);
  return root?.frames ?? trace.frames;
}

function culpritOf(trace: Trace): Frame | null {
  const layers = [...trace.causes.toReversed(), trace].map(({ frames }) => frames);
  for (const frames of layers) {
    const own = frames.find((frame) => frame.own);
    if (own !== undefined) return own;
  }
  return layers.flat()[0] ?? null;
}

/** The given file that a frame means: the one whose path ends as the frame's does. */
function sourceOf({ file }: Frame, files: Readonly<Record<string, string>>): string | null {
  if (file === null) return null;
  const wanted = file.replaceAll("\\", "/").replace(/^.*?:\/\//, "");
  const paths = Object.keys(files).map((path) => ({ path, bare: path.replace(/^\.?\//, "") }));
  const found = paths.find(
    ({ bare }) =>
      wanted === bare ||
      wanted.endsWith(`/${bare}`) ||
      bare.endsWith(`/${wanted.replace(/^\.?\//, "")}`),
  );
  return found === undefined ? null : (files[found.path] ?? null);
}

interface Group {
  fingerprint: string;
  trace: Trace;
  count: number;
  lines: number[];
}

function groupsOf(traces: readonly Trace[]): Group[] {
  const groups = new Map<string, Group>();
  for (const trace of traces) {
    const root = trace.causes.at(-1) ?? trace;
    const culprit = culpritOf(trace);
    const fingerprint = fingerprintOf([
      trace.type,
      root.type,
      root.message,
      culprit?.file ?? "",
      culprit?.function ?? "",
    ]);
    const group = groups.get(fingerprint) ?? { fingerprint, trace, count: 0, lines: [] };
    group.count += 1;
    if (group.lines.length < 20) group.lines.push(trace.line);
    groups.set(fingerprint, group);
  }
  return [...groups.values()].toSorted((left, right) => right.count - left.count);
}

function groupRow({ fingerprint, trace, count, lines }: Group): JsonObject {
  const culprit = culpritOf(trace);
  const known = knownCause(
    trace.causes.at(-1)?.type ?? trace.type,
    trace.causes.at(-1)?.message ?? trace.message,
  );
  return {
    fingerprint,
    count,
    error: wordingOf(trace),
    root_cause: known?.class ?? "unknown_error",
    culprit: culprit === null ? null : { ...culprit },
    lines,
  };
}
