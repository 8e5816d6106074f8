import * as z from "zod";

import type { Priority } from "../protocol/enums.ts";
import { instantSchema, jsonObjectSchema } from "../protocol/primitives.ts";
import type { RetryMessage } from "../protocol/queue-messages.ts";
import { levelSchema } from "../protocol/webhook.ts";

/** A change of an endpoint's level that others have to hear of. Told again it means nothing new. */
export const levelReportSchema = z.strictObject({
  /** Unique, letters and digits with _ and -: it is the id of the audit row and of the alert. */
  report_id: z.string(),
  at: instantSchema,
  from: levelSchema,
  to: levelSchema,
  why: z.string(),
  evidence: jsonObjectSchema,
  /** The configuration under which it happened: a later one is not undone. */
  version: z.int(),
});
export type LevelReport = z.infer<typeof levelReportSchema>;

/** The level after a change, in words. */
const LEVELS = ["is healthy again", "is degraded", "is restricted", "is open", "is disabled"];

/** What each level means for who waits for deliveries. */
const MEANING = [
  "Deliveries go out as usual.",
  "Three requests at once instead of six, and half the rate.",
  "One request at a time; high and critical priorities first, others one each half second.",
  "Only probes are sent; deliveries wait and lose none of their attempts.",
  "Nothing is sent until it is resumed; deliveries are held and can be replayed.",
];

/** What other endpoints of the tenant are told of a change. */
export function levelAlert(
  webhook_id: string,
  { report_id, from, to, why, evidence }: LevelReport,
) {
  return {
    alert_id: report_id,
    severity: severityOf(from, to),
    title: `Webhook ${webhook_id} ${LEVELS[to] ?? ""}`,
    detail: `${MEANING[to] ?? ""} Level ${from} became ${to}: ${why.replaceAll("_", " ")}.`,
    evidence: { webhook_id, from, to, why, ...evidence },
  };
}

function severityOf(from: number, to: number): "info" | "warning" | "error" {
  if (to < from) return "info";
  return to >= 3 ? "error" : "warning";
}

/** Counts what endpoints send; it costs nothing until it is told. */
export interface DeliveryMeter {
  /** An attempt has carried a delivery. */
  attempted(tenant: string, isSuccess: boolean): void;
  /** A delivery came to an end by an attempt. */
  ended(tenant: string, outcome: "delivered" | "exhausted" | "cancelled"): void;
  /** A delivery has arrived, so long after it was created. */
  arrived(tenant: string, latency_ms: number): void;
  /** The object has written rows. */
  wrote(tenant: string, rows: number): void;
  /** Has what was counted told to whoever adds it up. Never fails; what can't be told now is told the next time. */
  tell(tenant: string): Promise<void>;
}

/** What an endpoint's object asks of other parts. */
export interface EndpointPorts {
  meter: DeliveryMeter;
  /** Tells the registry, the audit and other endpoints of a changed level. Safe to repeat. */
  report(tenant: string, webhook_id: string, report: LevelReport): Promise<void>;
  /** Asks to be swept at this instant, epoch milliseconds. */
  scheduleSweep(name: string, due: number): Promise<void>;
  /** Puts a message on the `retries` queue of this priority. */
  sendWake(message: RetryMessage, priority: Priority, delaySeconds: number): Promise<void>;
  /** How long deliveries are kept, in days. */
  retention: Retention;
}

/** Days that deliveries are kept. */
export interface Retention {
  /** Those that arrived or were cancelled. */
  settledDays: number;
  /** Those that were given up, and those that wait for an endpoint that is not active. */
  undeliveredDays: number;
}
