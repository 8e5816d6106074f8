import {
  flag,
  list,
  maybe,
  number,
  object,
  pageOf,
  table,
  text,
  type Read,
  type Shape,
} from "../lib/shape.ts";

/** A number, a text or a list, as it is written. */
const written: Shape<string> = (value) =>
  typeof value === "object" && value !== null ? JSON.stringify(value) : text(value);

/** An alert (GET /v1/alerts/{id}). */
export const alert = object({
  alert_id: text,
  rule_id: text,
  severity: text,
  state: text,
  title: text,
  detail: text,
  evidence: table(written),
  subject: text,
  pending_since: text,
  fired_at: text,
  resolved_at: maybe(text),
  acknowledged_at: maybe(text),
  acknowledged_by: maybe(text),
  note: maybe(text),
  silenced_by: maybe(text),
  told: list(text),
});
export type Alert = Read<typeof alert>;

/** A page of GET /v1/alerts. */
export const alertPage = pageOf(alert);

const silence = object({
  silence_id: text,
  rule_id: maybe(text),
  max_severity: text,
  reason: text,
  created_at: text,
  created_by: text,
  ends_at: text,
});
export type Silence = Read<typeof silence>;

/** A page of GET /v1/silences. */
export const silencePage = pageOf(silence);

const rule = object({
  rule_id: text,
  title: text,
  metric: text,
  task_type: maybe(text),
  agent_id: maybe(text),
  slo_id: maybe(text),
  window_s: number,
  comparison: text,
  threshold: number,
  for_s: number,
  resolve_after_s: number,
  min_samples: number,
  severity: text,
  is_enabled: flag,
  source: text,
});
export type Rule = Read<typeof rule>;

/** A page of GET /v1/alert-rules. */
export const rulePage = pageOf(rule);

const channel = object({
  channel_id: text,
  name: text,
  kind: text,
  severities: list(text),
  to: list(text),
  is_enabled: flag,
  has_secret: flag,
  tells_resolved: flag,
  webhook_id: text,
});
export type Channel = Read<typeof channel>;

/** A page of GET /v1/alert-channels. */
export const channelPage = pageOf(channel);
