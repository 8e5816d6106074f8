import type { Log } from "../lib/log.ts";
import type { Principal } from "../protocol/access.ts";
import type { ValidationRecord } from "../protocol/validation-record.ts";
import type { RestPorts } from "./ports.ts";

/** Where something was about to leave. */
interface Origin {
  kind: "stream" | "export" | "channel" | "claim";
  operation: string;
  requestId: string;
  by: Pick<Principal, "tenant" | "key_id">;
}

type Places = ValidationRecord["errors"];

/** What goes on leaving after its answer has begun, and what it tells of whatever does not leave. */
export interface Outflow {
  log: Log;
  /** Tells of something that broke its schema: the log, a record, and an alert. Never fails. */
  tellWithheld: (places: Places) => Promise<void>;
}

/** What a stream or a WebSocket is given. */
export function outflowOf(ports: Pick<RestPorts, "validations" | "log">, origin: Origin): Outflow {
  return { log: ports.log, tellWithheld: (places) => tell(ports, origin, places) };
}

function tell(
  ports: Pick<RestPorts, "validations" | "log">,
  { kind, operation, requestId, by }: Origin,
  places: Places,
): Promise<void> {
  const route = `${kind}:${operation}`;
  ports.log("error", "answer_invalid", {
    route,
    request_id: requestId,
    paths: places.map(({ pointer, code }) => `${pointer} ${code}`).join(", "),
  });
  return ports.validations.withheld({
    outcome: "withheld",
    route,
    operation,
    request_id: requestId,
    tenant: by.tenant || null,
    key_id: by.key_id || null,
    code: null,
    validations: ["output"],
    duration_us: 0,
    detail: () => ({
      fields: [],
      unknown_fields: 0,
      errors: places,
      faults: places.length,
      warnings: [],
    }),
  });
}
