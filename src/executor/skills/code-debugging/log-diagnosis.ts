import type { Diagnosis } from "./diagnosis.ts";
import { knownCause } from "./known-causes.ts";
import { fingerprintOf, templateOf } from "./templates.ts";
import { thrownOn } from "./traces.ts";

const NAMES = "FATAL|CRITICAL|PANIC|EMERG|ERROR|ERR|SEVERE|WARNING|WARN|INFO|NOTICE|DEBUG|TRACE";
/** In small letters only where nothing but a level stands: "Error: …" is the message of an exception. */
const LEVEL = new RegExp(`\\b(${NAMES})\\b|(?:level=|[[<(])(${NAMES.toLowerCase()})\\b`);
const TIME = /\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/;
const FATAL = new Set(["FATAL", "CRITICAL", "PANIC", "EMERG"]);
const FAILED = new Set([...FATAL, "ERROR", "ERR", "SEVERE"]);
const WARNED = new Set(["WARN", "WARNING"]);
const LONGEST_LINE = 1_000;
const MAX_GROUPS = 50;
const MOST_KINDS = 5_000;

interface Group {
  level: string;
  template: string;
  sample: string;
  count: number;
  first: { line: number; time: string | null };
  last: { line: number; time: string | null };
}

/** Whether a text is a log: at least three lines, and a third of them with a level or a time near their beginning. */
export function isLog(text: string): boolean {
  const lines = text
    .slice(0, 200_000)
    .split("\n")
    .filter((line) => line.trim() !== "");
  const marked = lines.filter(
    (line) =>
      TIME.test(line.slice(0, 80)) || /^\W{0,3}(?:FATAL|ERROR|WARN|INFO|DEBUG)\b/.test(line),
  );
  return lines.length >= 3 && marked.length >= lines.length / 3;
}

/**
 * Counts the errors and warnings of a log by kind, the most serious and frequent first; null when it has neither.
 *
 * Lines of JSON are read by their level and message. Two lines are of one kind when they differ in numbers, ids, times,
 * addresses and quoted texts alone. At most 5,000 kinds are kept.
 */
export function diagnoseLog(text: string): Diagnosis | null {
  const groups = new Map<string, Group>();
  const counts = { lines: 0, errors: 0, warnings: 0 };
  for (const [at, whole] of text.split("\n").entries()) {
    const event = eventOn(whole.slice(0, LONGEST_LINE));
    if (whole.trim() !== "") counts.lines += 1;
    if (event === null) continue;
    counts[FAILED.has(event.level) ? "errors" : "warnings"] += 1;
    count(groups, event, at + 1);
  }
  const ranked = [...groups.values()].toSorted((left, right) => weightOf(right) - weightOf(left));
  const main = ranked[0];
  return main === undefined ? null : told(main, ranked, counts);
}

interface Event {
  level: string;
  message: string;
  time: string | null;
}

/** An error or a warning; null for what is neither. */
function eventOn(line: string): Event | null {
  const { level, message } = (line.startsWith("{") ? jsonFields(line) : null) ?? plainFields(line);
  if (!FAILED.has(level) && !WARNED.has(level)) return null;
  return { level, message: message.trim(), time: TIME.exec(line.slice(0, 300))?.[0] ?? null };
}

function plainFields(line: string): { level: string; message: string } {
  const [, upper, lower = ""] = LEVEL.exec(line.slice(0, 200)) ?? [];
  const rest = line.replace(TIME, "").replace(LEVEL, "");
  return { level: upper ?? lower.toUpperCase(), message: rest.replace(/^[\s[\]():|,-]+/, "") };
}

/** Levels of pino and bunyan are numbers. */
const NUMBERED: Readonly<Record<string, string>> = { "60": "FATAL", "50": "ERROR", "40": "WARN" };

/** By pattern and not by parsing, as the line may be cut. */
function jsonFields(line: string): { level: string; message: string } | null {
  const [, level] = /"(?:level|severity|lvl)":\s*"?(\w{1,10})/.exec(line) ?? [];
  const [, message] = /"(?:msg|message|error)":\s*"((?:[^"\\]|\\.){0,800})/.exec(line) ?? [];
  if (level === undefined || message === undefined) return null;
  return { level: NUMBERED[level] ?? level.toUpperCase(), message };
}

function count(groups: Map<string, Group>, { level, message, time }: Event, line: number): void {
  const template = templateOf(message);
  const key = `${level} ${template}`;
  const group = groups.get(key);
  if (group !== undefined) {
    group.count += 1;
    group.last = { line, time };
  } else if (groups.size < MOST_KINDS) {
    const here = { line, time };
    groups.set(key, {
      level,
      template,
      sample: message.slice(0, 500),
      count: 1,
      first: here,
      last: here,
    });
  }
}

function weightOf({ level, count: times }: Group): number {
  const rank = FATAL.has(level) ? 2 : FAILED.has(level) ? 1 : 0;
  return rank * 1e9 + times;
}

function told(
  main: Group,
  ranked: readonly Group[],
  counts: { lines: number; errors: number; warnings: number },
): Diagnosis {
  const thrown = thrownOn(main.sample);
  const known = knownCause(thrown?.type ?? "", thrown?.message ?? main.sample);
  return {
    kind: "log",
    diagnosis: `${counts.errors} error(s) and ${counts.warnings} warning(s) of ${ranked.length} kind(s) in ${counts.lines} lines. First to look at, ${main.count} time(s): ${main.sample.slice(0, 300)}`,
    root_cause: {
      class: known?.class ?? "unknown_error",
      detail: known?.explanation ?? `Most serious and frequent: ${main.template.slice(0, 300)}`,
      evidence: `Line ${main.first.line}: ${main.sample.slice(0, 300)}`,
    },
    location: { file: null, line: main.first.line, column: null },
    suggestions: known?.suggestions ?? [
      `Look at what happened just before line ${main.first.line}, where this kind begins.`,
    ],
    certainty: known === null ? 0.6 : 0.8,
    coverage: 1,
    more: {
      ...counts,
      groups: ranked
        .slice(0, MAX_GROUPS)
        .map((group) => ({ ...group, fingerprint: fingerprintOf([group.level, group.sample]) })),
      groups_left_out: Math.max(0, ranked.length - MAX_GROUPS),
    },
  };
}
