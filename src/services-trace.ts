import type { Tasks } from "./dispatch/tasks.ts";
import { readTrace } from "./observe/trace/read.ts";
import type { RestPorts } from "./rest/ports.ts";
import type { TracePort } from "./rest/trace-port.ts";
import { doorsOf, now } from "./services-doors.ts";

/* What traces are read from. */

const DAY_MS = 86_400_000;

/** What tasks spent their time on. */
export function tracePort(
  env: Env,
  { view, events }: Pick<Tasks, "view" | "events">,
  { taskDeliveries }: Pick<RestPorts["routing"], "taskDeliveries">,
): TracePort {
  const { config } = doorsOf(env);
  const keptMs = config.retention.settledDays * DAY_MS;
  const parts = { now, view, events, deliveries: taskDeliveries, keptMs };
  return { trace: (by, task_id) => readTrace(parts, by, task_id) };
}
