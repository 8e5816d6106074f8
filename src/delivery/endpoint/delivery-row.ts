import * as z from "zod";

import { instant } from "../../lib/ports.ts";
import {
  notificationTypeSchema,
  prioritySchema,
  type DeliveryState,
} from "../../protocol/enums.ts";
import { attemptSchema, type Attempt, type DeliveryView } from "../../protocol/webhook.ts";
import { deliveryId, messageId } from "../delivery-id.ts";
import type { EndpointConfig } from "../endpoint-config.ts";
import type { Gate } from "./gate.ts";

/** A delivery as its endpoint stores it, less the body. Instants are epoch milliseconds. */
export const deliveryRowSchema = z.strictObject({
  /** The task's id, or the event's where there is no task (then `seq` is 0). */
  source: z.string(),
  seq: z.int().min(0),
  /** The instant of creation in microseconds, made unique: it is the order of creation too. */
  position: z.int(),
  type: notificationTypeSchema,
  /** 0 (low) to 3 (critical). */
  priority: z.int().min(0).max(3),
  /** `open` until there is an outcome; what keeps it open is seen from the rest. */
  state: z.enum(["open", "delivered", "exhausted", "cancelled"]),
  attempts: z.int().min(0),
  /** Attempts that used up the schedule: all but the manual ones. */
  tries: z.int().min(0),
  /** When the next retry is due; null while there has been no failure. */
  due: z.int().nullable(),
  /** Since when an operator wants it sent again. */
  replay_at: z.int().nullable(),
  /** When it failed for the first time since it was created or recovered. */
  first_failed_at: z.int().nullable(),
  /** Whether a recovery opened it again, until it is tried. */
  is_recovering: z.int().min(0).max(1),
  /** The webhook-id of the batch that it was last part of; null while it goes alone. */
  batch_id: z.string().nullable(),
  /** Bytes of the body. */
  bytes: z.int().min(0),
  prev_seq: z.int().nullable(),
  correlation_id: z.string(),
  delivered_at: z.int().nullable(),
  /** The newest attempt as JSON; older ones have rows of their own. */
  last_attempt: z.string().nullable(),
});
export type DeliveryRow = z.infer<typeof deliveryRowSchema>;

/** The columns of `deliveryRowSchema`, for a SELECT. */
export const DELIVERY_COLUMNS = Object.keys(deliveryRowSchema.shape).join(", ");

/** When a delivery was created, in epoch milliseconds. */
export function createdAt(row: Pick<DeliveryRow, "position">): number {
  return Math.floor(row.position / 1_000);
}

/** An attempt from its stored JSON. */
export function parseAttempt(json: string): Attempt {
  return attemptSchema.parse(JSON.parse(json));
}

/** What else decides how a delivery looks. Instants are epoch milliseconds. */
export interface RowSurroundings {
  config: EndpointConfig;
  gate: Pick<Gate, "pausedUntil" | "rateAt" | "leastPriority" | "trickleAt" | "probeAt">;
  isInFlight: boolean;
  /** Whether another delivery of its lane goes first. */
  isBehind: boolean;
  now: number;
}

/** A delivery as the contract shows it. */
export function deliveryView(row: DeliveryRow, around: RowSurroundings): DeliveryView {
  const key = { webhook_id: around.config.webhook_id, source: row.source, seq: row.seq };
  const state = stateOf(row, around);
  const isTask = row.seq > 0;
  return {
    delivery_id: deliveryId(key),
    webhook_id: key.webhook_id,
    message_id: row.batch_id ?? messageId(key),
    task_id: isTask ? row.source : null,
    seq: isTask ? row.seq : null,
    prev_seq: row.prev_seq,
    type: row.type,
    priority: prioritySchema.options[row.priority] ?? "normal",
    state,
    attempts_made: row.attempts,
    next_attempt_at: nextAttemptAt(row, state, around),
    created_at: instant(createdAt(row)),
    delivered_at: row.delivered_at === null ? null : instant(row.delivered_at),
    delay_reason: delayReason(row, state, around),
  };
}

function stateOf(row: DeliveryRow, around: RowSurroundings): DeliveryState {
  if (around.isInFlight) return "delivering";
  if (row.replay_at !== null) return "pending";
  if (row.state !== "open") return row.state;
  if (around.config.state !== "active" || breakerReason(row, around) !== null) return "held";
  return row.attempts > 0 ? "retrying" : "pending";
}

function nextAttemptAt(
  row: DeliveryRow,
  state: DeliveryState,
  { gate }: RowSurroundings,
): string | null {
  if (state !== "pending" && state !== "retrying") return null;
  const due = row.replay_at ?? row.due ?? createdAt(row);
  return instant(Math.max(due, gate.pausedUntil, gate.rateAt));
}

function delayReason(
  row: DeliveryRow,
  state: DeliveryState,
  around: RowSurroundings,
): string | null {
  switch (state) {
    case "held":
      return breakerReason(row, around) ?? `endpoint_${around.config.state}`;
    case "cancelled":
      return wasRefused(row) ? "endpoint_gone" : "endpoint_deleted";
    case "pending":
    case "retrying":
      return waitReason(row, around);
    case "delivering":
    case "delivered":
    case "exhausted":
      return null;
  }
}

/** Why the breaker keeps a delivery back that is due; null when it does not. */
function breakerReason(row: DeliveryRow, { config, gate, now }: RowSurroundings): string | null {
  if (config.state !== "active" || (row.due ?? 0) > now) return null;
  if (gate.probeAt !== null) return "breaker_open";
  const isLower = row.priority < gate.leastPriority && gate.trickleAt > now;
  return isLower ? "breaker_restricted" : null;
}

/** What a delivery waits for that nobody holds back. */
function waitReason(row: DeliveryRow, around: RowSurroundings): string | null {
  const { gate, isBehind, config, now } = around;
  if (gate.pausedUntil > now) return "retry_after";
  if ((row.due ?? 0) > now) return "retry";
  if (row.replay_at === null && isBehind) return "lane";
  if (gate.rateAt > now) return "rate_limit";
  if (config.batching !== null && row.attempts === 0) return "batching";
  return row.attempts > 0 ? "retry" : null;
}

/** Whether the receiver's 410 cancelled it; otherwise its endpoint was deleted. */
function wasRefused(row: DeliveryRow): boolean {
  return row.last_attempt !== null && parseAttempt(row.last_attempt).error_class === "gone";
}
