import { instant } from "../../lib/ports.ts";
import type { Attempt } from "../../protocol/webhook.ts";
import type { EndpointConfig } from "../endpoint-config.ts";
import {
  classifyFault,
  classifyStatus,
  isPausing,
  type ResponseClass,
  type SendFault,
} from "../response-class.ts";
import { retryAfterMs, retryDelayMs } from "../retry-policy.ts";
import { createdAt, type DeliveryRow } from "./delivery-row.ts";

/** What came back from one POST. Instants are epoch milliseconds. */
export interface SendReport {
  /** Null when there was no answer; `fault` says why then. */
  status_code: number | null;
  fault: SendFault | null;
  response_body: string | null;
  /** The header as it came. */
  retry_after: string | null;
  started_at: number;
  ended_at: number;
  /** Whether an operator asked for it. */
  isManual: boolean;
}

/** What of an endpoint's configuration decides about a failed attempt. */
export type SettleRules = Pick<EndpointConfig, "retry_policy" | "final_statuses">;

/** What an attempt changes. */
export interface Settlement {
  row: DeliveryRow;
  /** The receiver asked that nothing be sent before; epoch milliseconds. */
  pauseUntil: number | null;
  /** The receiver wants nothing more from this endpoint. */
  isGone: boolean;
}

/**
 * The outcome of one attempt: where its delivery stands now, and what it means for the endpoint.
 *
 * A replay never uses up the schedule: when it fails the delivery is as it was. An endpoint that was deleted
 * meanwhile leaves its delivery cancelled.
 *
 * @param row as stored when the answer came, not when the request left
 * @param random uniform draw in [0, 1) for the jitter
 */
export function settle(
  row: DeliveryRow,
  report: SendReport,
  rules: SettleRules,
  random: number,
): Settlement {
  const outcome =
    report.status_code === null
      ? classifyFault(report.fault ?? "network")
      : classifyStatus(report.status_code, rules.final_statuses);
  const pauseUntil = pauseOf(report);
  const { isManual } = report;
  const attempted: DeliveryRow = {
    ...row,
    attempts: row.attempts + 1,
    tries: isManual ? row.tries : row.tries + 1,
    replay_at: isManual ? null : row.replay_at,
    last_attempt: JSON.stringify(attemptOf(row, report, outcome)),
  };
  const isGone = outcome.verdict === "gone";
  if (outcome.verdict === "delivered") {
    return { row: delivered(attempted, report.ended_at), pauseUntil, isGone };
  }
  if (row.state !== "open") return { row: attempted, pauseUntil, isGone };
  if (isGone) return { row: closed(attempted, "cancelled"), pauseUntil, isGone };
  if (isManual) return { row: attempted, pauseUntil, isGone };
  const wait =
    outcome.verdict === "final" ? null : retryDelayMs(rules.retry_policy, attempted.tries, random);
  const settled =
    wait === null
      ? closed(attempted, "exhausted")
      : { ...attempted, due: Math.max(report.ended_at + wait, pauseUntil ?? 0) };
  return { row: settled, pauseUntil, isGone };
}

function pauseOf(report: SendReport): number | null {
  if (report.status_code === null || !isPausing(report.status_code)) return null;
  const wait = retryAfterMs(report.retry_after, report.ended_at);
  return wait === null ? null : report.ended_at + wait;
}

function delivered(row: DeliveryRow, at: number): DeliveryRow {
  return { ...row, state: "delivered", due: null, delivered_at: row.delivered_at ?? at };
}

function closed(row: DeliveryRow, state: "exhausted" | "cancelled"): DeliveryRow {
  return { ...row, state, due: null };
}

function attemptOf(row: DeliveryRow, report: SendReport, outcome: ResponseClass): Attempt {
  const scheduledFor = row.due ?? createdAt(row);
  return {
    attempt: row.attempts + 1,
    trigger: triggerOf(row, report),
    due_at: instant(report.isManual ? (row.replay_at ?? report.started_at) : scheduledFor),
    started_at: instant(report.started_at),
    duration_ms: Math.max(0, report.ended_at - report.started_at),
    status_code: report.status_code,
    error_class: outcome.error_class,
    response_body: report.response_body,
    level: 0,
  };
}

function triggerOf(row: DeliveryRow, report: SendReport): Attempt["trigger"] {
  if (report.isManual) return "manual";
  return row.tries === 0 ? "scheduled" : "retry";
}
