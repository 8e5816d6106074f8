/** Where a delivery is stored: its endpoint, and its place there. */
export interface DeliveryKey {
  webhook_id: string;
  /** The task's id; for news without a task, the event's id. */
  source: string;
  /** The event's place in the task's log, from 1; 0 for news without a task. */
  seq: number;
}

const DELIVERY_ID = /^dlv_([a-z]{2})([0-9A-Za-z]{22})_(\d{1,15})_([A-Za-z0-9_-]{1,200})$/;

/** The public id of a delivery. Everything in it is an id already, so it can be read back without a look-up. */
export function deliveryId(key: DeliveryKey): string {
  return `dlv_${key.webhook_id.replace("_", "")}_${key.seq}_${key.source}`;
}

/** The key inside a delivery id; null when it is none. */
export function parseDeliveryId(id: string): DeliveryKey | null {
  const [, kind, name, seq, source] = DELIVERY_ID.exec(id) ?? [];
  if (kind === undefined || source === undefined) return null;
  return { webhook_id: `${kind}_${name}`, source, seq: Number(seq) };
}

/**
 * The webhook-id header of a delivery: the same for every attempt and replay, unlike any other delivery's, and
 * without the full stop that separates the signed parts (Standard Webhooks 1.0, Signature scheme).
 */
export function messageId(key: DeliveryKey): string {
  return deliveryId(key).replace("dlv_", "msg_");
}
