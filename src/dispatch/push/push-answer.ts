import * as z from "zod";

import { instant } from "../../lib/ports.ts";
import { taskPushSchema } from "../../protocol/agent-channel.ts";
import type { Lease } from "../../protocol/agent.ts";
import { placesOf } from "../../protocol/declared-names.ts";
import { UPGRADER } from "../../protocol/upgrader.ts";
import type { ValidationRecord } from "../../protocol/validation-record.ts";
import type { PushOutcome } from "../choice/push-breaker.ts";

/* What is said to a push executor, and what its answer means. Pure. */

/** A push executor says within this time whether it takes a task; the task waits meanwhile. Milliseconds. */
export const ACCEPT_DEADLINE_MS = 10_000;

/** A reason is kept up to this length: it is shown in the task's log. Characters. */
const LONGEST_REASON = 1_000;

/** What a push executor answered; `status_code` is null when there was no answer, and `fault` says why. */
export interface PushAnswer {
  status_code: number | null;
  fault: "timeout" | "network" | null;
  response_body: string | null;
}

/** What an answer means; the reason is for the task's log. */
export type PushVerdict =
  | { outcome: "accepted" }
  | { outcome: Exclude<PushOutcome, "accepted">; reason: string };

/** What becomes of a push that broke its schema: no executor gets it, and none has failed. */
export const WITHHELD: PushVerdict = {
  outcome: "declined",
  reason: "withheld: the task as it was to be sent broke its schema",
};

/**
 * The request of a push as JSON text (protocol.md §4, Shapes of answers): the same as a claim's answer to one task,
 * whose `traceparent` is a header of the request.
 */
export function pushBody(task: string, lease: Lease, now: number): string {
  // The task is JSON text already: to parse it for its check is enough, writing it again would be waste.
  const head = `{"type":"task_execution","timestamp":${JSON.stringify(instant(now))}`;
  return `${head},"data":{"task":${task},"lease":${JSON.stringify(lease)}}}`;
}

/** Where the request of a push breaks its schema; null when it keeps it. */
export function faultsOfPush(body: string): ValidationRecord["errors"] | null {
  const parsed = taskPushSchema.safeParse(jsonOf(body));
  return parsed.success ? null : placesOf(taskPushSchema, parsed.error);
}

/** Names a push: equal for whatever repeats it, so that a receiver can tell. */
export function pushId(task_id: string, attempt: number): string {
  return `push_${task_id}_${attempt}`;
}

/**
 * What an executor's answer means: 202 takes the task, 409 declines it with a `reason`, and anything else, or
 * nothing in time, counts as not having reached it.
 */
export function verdictOf({ status_code, fault, response_body }: PushAnswer): PushVerdict {
  switch (status_code) {
    case 202:
      return { outcome: "accepted" };
    case 409:
      return { outcome: "declined", reason: reasonIn(response_body) };
    case null:
      return {
        outcome: "failed",
        reason:
          fault === "timeout"
            ? `unreachable: no answer to the push in ${ACCEPT_DEADLINE_MS / 1_000} s`
            : "unreachable: the push found no connection",
      };
    default:
      return {
        outcome: "failed",
        reason: `unreachable: the push was answered with ${status_code}, and only 202 or 409 mean something`,
      };
  }
}

const declineBodySchema = z.object({ reason: z.string().trim().min(1) });
const versionedSchema = z.object({ schema_version: z.string() });

function reasonIn(body: string | null): string {
  const { message } = UPGRADER.upgrade("Decline", jsonOf(body));
  const said = versionedSchema.safeParse(message).data?.schema_version;
  if (said !== undefined && UPGRADER.known(said) === null) return inUnknownVersion(said);
  const parsed = declineBodySchema.safeParse(message);
  const reason = parsed.success ? parsed.data.reason : "declined without a reason";
  return reason.slice(0, LONGEST_REASON).toWellFormed();
}

/** An answer can't be refused, but what another major means by `reason` is not known here. */
function inUnknownVersion(version: string): string {
  const shown = version.slice(0, 20).toWellFormed();
  return `declined in version ${shown}, which is not spoken here; supported: ${UPGRADER.supported.join(", ")}`;
}

function jsonOf(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return null;
  }
}
