import type { Batching } from "../protocol/webhook-options.ts";

/** How long the first one waits for others where a registration says nothing: a second is rarely missed. */
const DEFAULT_WAIT_MS = 1_000;

/** Bytes of one request's body where a registration says nothing; receivers commonly take that much. */
const DEFAULT_BYTES = 262_144;

/** A receiver that needs this long for an answer is worth a full batch. */
const SLOW_ANSWER_MS = 1_000;

/** What a batch may hold and how long it may wait. */
export interface BatchRules {
  maxItems: number;
  maxWaitMs: number;
  maxBytes: number;
  isAdaptive: boolean;
}

/** A registration's wishes with the defaults filled in; null without any. */
export function batchRules(batching: Batching | null): BatchRules | null {
  if (batching === null) return null;
  return {
    maxItems: batching.max_items,
    maxWaitMs: batching.max_wait_ms ?? DEFAULT_WAIT_MS,
    maxBytes: batching.max_bytes ?? DEFAULT_BYTES,
    isAdaptive: batching.adaptive ?? false,
  };
}

/**
 * Milliseconds that the first of a batch waits for others.
 *
 * Adaptive, the wait grows from nothing to the whole with the receiver's latency and with how much of a batch is
 * there already: a quick receiver with little to do gets each notification at once.
 *
 * @param latencyMs the receiver's smoothed time to answer
 * @param items deliveries that could go now
 */
export function batchWaitMs(rules: BatchRules, latencyMs: number, items: number): number {
  if (!rules.isAdaptive) return rules.maxWaitMs;
  const need = Math.max(latencyMs / SLOW_ANSWER_MS, (items - 1) / rules.maxItems);
  return Math.round(rules.maxWaitMs * Math.min(1, need));
}

/** Whether a batch is worth sending now: full by items or bytes. */
export function isBatchFull(rules: BatchRules, load: { items: number; bytes: number }): boolean {
  return load.items >= rules.maxItems || load.bytes >= rules.maxBytes;
}

/** Bytes of a batch's body beside its items; the length of an instant does not vary. */
export const BATCH_ENVELOPE_BYTES = batchBody("2026-11-22T10:00:00.000Z", []).length;

/** The body of a batch (protocol.md §5); `bodies` are those that the members would have alone. */
export function batchBody(at: string, bodies: readonly string[]): string {
  const head = JSON.stringify({ type: "batch", timestamp: at }).slice(0, -1);
  return `${head},"data":{"items":[${bodies.join(",")}]}}`;
}
