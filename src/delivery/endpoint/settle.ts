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
  /** Whether it was to find out if an open breaker can close. */
  isProbe: boolean;
  /** The breaker's level when it was sent. */
  level: number;
}

/** What of an endpoint's configuration decides about a failed attempt. */
export type SettleRules = Pick<EndpointConfig, "retry_policy" | "final_statuses">;

/** Whose attempt it was, of what a delivery's row knows. */
type Asked = Pick<SendReport, "isManual" | "isProbe">;

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
 * Neither a replay nor a probe uses up the schedule: when it fails the delivery stands where it stood. An endpoint
 * that was deleted meanwhile leaves its delivery cancelled.
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
  const outcome = outcomeOf(report, rules);
  const pauseUntil = pauseOf(report);
  const attempted = attemptedRow(row, report, outcome);
  const isGone = outcome.verdict === "gone";
  if (outcome.verdict === "delivered") {
    return { row: delivered(attempted, report.ended_at), pauseUntil, isGone };
  }
  if (row.state !== "open") return { row: attempted, pauseUntil, isGone };
  if (isGone) return { row: closed(attempted, "cancelled"), pauseUntil, isGone };
  if (report.isManual) return { row: attempted, pauseUntil, isGone };
  const failed = { ...attempted, first_failed_at: row.first_failed_at ?? report.ended_at };
  const isFinal = outcome.verdict === "final";
  if (report.isProbe && !isFinal) return { row: failed, pauseUntil, isGone };
  const wait = isFinal ? null : retryDelayMs(rules.retry_policy, attempted.tries, random);
  const settled =
    wait === null
      ? closed(failed, "exhausted")
      : { ...failed, due: Math.max(report.ended_at + wait, pauseUntil ?? 0) };
  return { row: settled, pauseUntil, isGone };
}

/** What an answer, or none, means under an endpoint's rules. */
export function outcomeOf(
  report: Pick<SendReport, "status_code" | "fault">,
  rules: Pick<EndpointConfig, "final_statuses">,
): ResponseClass {
  return report.status_code === null
    ? classifyFault(report.fault ?? "network")
    : classifyStatus(report.status_code, rules.final_statuses);
}

function attemptedRow(row: DeliveryRow, report: SendReport, outcome: ResponseClass): DeliveryRow {
  const { isManual, isProbe } = report;
  return {
    ...row,
    attempts: row.attempts + 1,
    tries: isManual || isProbe ? row.tries : row.tries + 1,
    replay_at: isManual ? null : row.replay_at,
    is_recovering: isManual ? row.is_recovering : 0,
    last_attempt: JSON.stringify(attemptOf(row, report, outcome)),
  };
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
    level: report.level,
  };
}

function triggerOf(row: DeliveryRow, { isManual, isProbe }: Asked): Attempt["trigger"] {
  if (isManual) return "manual";
  if (isProbe) return "probe";
  if (row.is_recovering === 1) return "recover";
  return row.tries === 0 ? "scheduled" : "retry";
}
