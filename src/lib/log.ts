import { withoutSecrets } from "./redact.ts";

/** Severity of a log line, least first. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Scalar facts of a log line. Names are snake_case; ids are welcome, secrets and payloads are not. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Longest line, bytes. The platform keeps 256 KB of what one invocation says, and drops what follows (Workers changelog,
 * 2025-04-07): 32 of the longest lines fit.
 */
const MAX_LINE_BYTES = 8_192;

/** Longest text of one field, characters: an error with the head of its stack. What is longer has its length told. */
const MAX_FIELD = 2_000;

/** Looked at of one text, characters: more than is shown, so that no key is cut in two before it is found. */
const MAX_LOOKED_AT = 4_000;

const SECRET_NAME = /secret|token|authorization|password|api_?key|signature/i;

/**
 * One log line: a JSON object with `time`, `level`, `component`, `event`, then the fields.
 *
 * Fields whose name speaks of a secret are replaced, and so is anything in a value that looks like a
 * key, so that a careless caller can't leak one. Texts of more than 2,000 characters are cut, and so is a line of more
 * than 8 KiB: its last fields are left out, and `fields_cut` says how many.
 */
function logLine(entry: {
  time: number;
  level: LogLevel;
  component: string;
  event: string;
  fields?: LogFields;
}): string {
  const line: Record<string, LogFields[string]> = {
    time: new Date(entry.time).toISOString(),
    level: entry.level,
    component: entry.component,
    event: entry.event,
  };
  const { fields = {} } = entry;
  // Filled in place: there is a line for every request.
  for (const name of Object.keys(fields)) line[name] = redact(name, fields[name]);
  return shortened(line);
}

/** The line as text, with as many of its fields as fit. */
function shortened(line: Record<string, LogFields[string]>): string {
  const text = JSON.stringify(line);
  // No character of a JavaScript string is more than three bytes.
  if (text.length * 3 <= MAX_LINE_BYTES || byteLength(text) <= MAX_LINE_BYTES) return text;
  const entries = Object.entries(line);
  for (let kept = entries.length - 1; ; kept -= 1) {
    const fewer = {
      ...Object.fromEntries(entries.slice(0, kept)),
      fields_cut: entries.length - kept,
    };
    const shorter = JSON.stringify(fewer);
    if (byteLength(shorter) <= MAX_LINE_BYTES || kept <= OWN_FIELDS) return shorter;
  }
}

/** The fields that every line has: they are short. */
const OWN_FIELDS = 4;

function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function redact(name: string, value: LogFields[string]): LogFields[string] {
  if (value === null || value === undefined || typeof value !== "string") return value;
  if (SECRET_NAME.test(name)) return "[redacted]";
  const shown = withoutSecrets(value.slice(0, MAX_LOOKED_AT));
  const isCut = shown.length > MAX_FIELD || value.length > MAX_LOOKED_AT;
  return isCut ? `${shown.slice(0, MAX_FIELD)}… (${value.length} characters)` : shown;
}

/** Writes one structured line; `event` is a stable name such as `delivery_failed`. */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

/** A `Log` for one component that prints to the console, where the platform collects it. */
export function consoleLog(component: string, now: () => number): Log {
  return (level, event, fields) => {
    const line = logLine({ time: now(), level, component, event, ...(fields && { fields }) });
    if (level === "error") console.error(line);
    else if (level === "warning") console.warn(line);
    else console.log(line);
  };
}
