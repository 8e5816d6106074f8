import type { AuditConsumerPorts } from "./audit/audit-consumer.ts";
import { Trail } from "./audit/trail.ts";
import { consoleLog } from "./lib/log.ts";
import { randomId } from "./lib/ports.ts";
import { doorsOf, now, type Doors } from "./services-doors.ts";

/* What the audit of the installation is built of. */

/** The audit, of which an isolate has one. */
export function trailOf(env: Env, { audit, guard }: Pick<Doors, "audit" | "guard">): Trail {
  return new Trail({
    store: audit,
    read: (query) => guard.read(query),
    enqueue: async (message) => {
      await env.EVENTS.send(message);
    },
    now,
    newId: randomId,
    log: consoleLog("audit", now),
  });
}

/** What writing entries needs that D1 did not take at once. */
export function auditConsumerPorts(env: Env): AuditConsumerPorts {
  return {
    store: doorsOf(env).audit,
    enqueue: async (message, delaySeconds) => {
      await env.EVENTS.send(message, { delaySeconds });
    },
    log: consoleLog("audit", now),
  };
}
