import { withoutSecrets } from "./redact.ts";

/** Severity of a log line, least first. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** Scalar facts of a log line. Names are snake_case; ids are welcome, secrets and payloads are not. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

const SECRET_NAME = /secret|token|authorization|password|api_?key|signature/i;

/**
 * One log line: a JSON object with `time`, `level`, `component`, `event`, then the fields.
 *
 * Fields whose name speaks of a secret are replaced, and so is anything in a value that looks like a
 * key, so that a careless caller can't leak one.
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
  return JSON.stringify(line);
}

function redact(name: string, value: LogFields[string]): LogFields[string] {
  if (value === null || value === undefined || typeof value !== "string") return value;
  return SECRET_NAME.test(name) ? "[redacted]" : withoutSecrets(value);
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
