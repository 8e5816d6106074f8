import type { DeliveryRow } from "../src/delivery/endpoint/delivery-row.ts";

/** A fresh delivery of task `t`, and what differs. */
export function deliveryRow(changes: Partial<DeliveryRow> = {}): DeliveryRow {
  return {
    source: "t",
    seq: 1,
    position: 1,
    type: "task_progress",
    priority: 1,
    state: "open",
    attempts: 0,
    tries: 0,
    due: null,
    replay_at: null,
    first_failed_at: null,
    is_recovering: 0,
    batch_id: null,
    bytes: 100,
    prev_seq: null,
    correlation_id: "",
    delivered_at: null,
    last_attempt: null,
    ...changes,
  };
}
