import { deliveryAttemptSpan, deliverySpan } from "../../protocol/span-names.ts";
import type { Attempt, DeliveryView } from "../../protocol/webhook.ts";
import type { Draft } from "./draft.ts";

/* What became of a task's notifications, as spans. */

/** Outcomes after which nothing more is sent by itself. */
const LOST: readonly string[] = ["exhausted", "cancelled"];

function endOf(attempt: Attempt): number {
  return Date.parse(attempt.started_at) + attempt.duration_ms;
}

/** When it was settled: delivered, or given up with its last attempt; null while it is on its way. */
function settledAt({
  state,
  delivered_at,
  created_at,
  attempts = [],
}: DeliveryView): number | null {
  if (delivered_at !== null) return Date.parse(delivered_at);
  if (!LOST.includes(state)) return null;
  return Math.max(Date.parse(created_at), ...attempts.map(endOf));
}

function statusOf({ state, delivered_at }: DeliveryView): Draft["status"] {
  if (delivered_at !== null) return "ok";
  return LOST.includes(state) ? "error" : "unset";
}

function attemptDraft(delivery_id: string, attempt: Attempt): Draft {
  const { attempt: number, trigger, status_code, error_class, level } = attempt;
  return {
    key: deliveryAttemptSpan(delivery_id, number),
    parent: deliverySpan(delivery_id),
    kind: "delivery_attempt",
    name: `Request ${number}`,
    start: Date.parse(attempt.started_at),
    end: endOf(attempt),
    status: error_class === null ? "ok" : "error",
    attributes: { attempt: number, trigger, status_code, error_class, level },
  };
}

/**
 * A delivery from when it was enqueued until it was settled, with its requests below it.
 *
 * @param cause key of the span in which its event happened
 */
export function deliveryDrafts(delivery: DeliveryView, cause: string): Draft[] {
  const { delivery_id, webhook_id, message_id, seq, type, state, attempts = [] } = delivery;
  return [
    {
      key: deliverySpan(delivery_id),
      parent: cause,
      kind: "delivery",
      name: `Delivery of ${type}`,
      start: Date.parse(delivery.created_at),
      end: settledAt(delivery),
      status: statusOf(delivery),
      attributes: {
        webhook_id,
        message_id,
        seq,
        type,
        state,
        attempts: delivery.attempts_made,
        delay_reason: delivery.delay_reason,
      },
    },
    ...attempts.map((attempt) => attemptDraft(delivery_id, attempt)),
  ];
}
