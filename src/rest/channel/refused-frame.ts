import { withoutSecrets } from "../../lib/redact.ts";
import type { Principal } from "../../protocol/access.ts";
import { channelFrameSchema } from "../../protocol/agent-channel.ts";
import { detailOf } from "../edge/validation-detail.ts";
import { logRefused } from "../edge/validation-log.ts";
import type { RestPorts } from "../ports.ts";
import type { KeepAlive } from "../route.ts";
import type { ValidationDetail, ValidationReport } from "../validation-port.ts";
import type { RefusedFrame } from "./frame.ts";

/** Whose frame it was, and where that is written down. */
interface Noting {
  by: Principal;
  requestId: string;
  ports: Pick<RestPorts, "log" | "validations">;
  keepAlive: KeepAlive;
}

/**
 * Writes down a frame that broke its schema, as a refused request is: the places of its faults, never a value. The time
 * its check took is not measured.
 */
export function noteRefused(
  { by, requestId, ports, keepAlive }: Noting,
  { refusal, message, warnings }: RefusedFrame,
): void {
  let detail: ValidationDetail | undefined;
  const none = { params: {}, query: {}, hasHeader: () => false };
  const report: ValidationReport = {
    outcome: "refused",
    route: "channel:connect_agent",
    operation: "connect_agent",
    request_id: withoutSecrets(requestId),
    tenant: by.tenant || null,
    key_id: by.key_id || null,
    code: refusal.code,
    validations: ["size", "json", "body"],
    duration_us: 0,
    detail: () =>
      (detail ??= detailOf(
        { body: channelFrameSchema },
        { ...none, body: message, refusal, warnings },
      )),
  };
  logRefused(ports.log, report);
  ports.validations.note(report, keepAlive);
}
