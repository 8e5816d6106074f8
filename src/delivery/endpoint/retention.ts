import type { EndpointConfig } from "../endpoint-config.ts";
import type { Retention } from "../level-report.ts";
import { createdAt, type DeliveryRow } from "./delivery-row.ts";

/** A day in milliseconds. */
export const DAY_MS = 86_400_000;

/** The day of an instant in epoch milliseconds, counted from the epoch. */
export function dayOf(now: number): number {
  return Math.floor(now / DAY_MS);
}

/**
 * Whether a delivery is kept no longer. Whole days (UTC) go at once.
 *
 * What may still arrive by itself is never too old: an open delivery of an active endpoint goes on by its schedule.
 */
export function isTooOld(
  row: DeliveryRow,
  { state }: Pick<EndpointConfig, "state">,
  { settledDays, undeliveredDays }: Retention,
  now: number,
): boolean {
  const days = dayOf(now) - dayOf(createdAt(row));
  if (row.replay_at !== null) return false;
  switch (row.state) {
    case "delivered":
    case "cancelled":
      return days > settledDays;
    case "exhausted":
      return days > undeliveredDays;
    case "open":
      return state !== "active" && days > undeliveredDays;
  }
}

/** When a sweep finds what is stored now too old, in epoch milliseconds: the start of that day. */
export function nextSweepAt({ settledDays }: Retention, now: number): number {
  return (dayOf(now) + settledDays + 1) * DAY_MS;
}
