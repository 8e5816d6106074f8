import { canonicalJson, instant, type Clock } from "../../lib/ports.ts";
import { brief, briefUrl, scrubbed } from "../../lib/redact.ts";
import type { Result } from "../../lib/result.ts";
import type { Principal } from "../../protocol/access.ts";
import {
  SYSTEM_ACTOR,
  type AuditEntry,
  type AuditRecord as StoredRecord,
} from "../../protocol/audit.ts";
import type { Page } from "../../protocol/keyset.ts";
import type { JsonObject } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { LevelReport } from "../level-report.ts";
import { webhookView, type Webhook } from "./registration.ts";

/** What befalls a webhook or the callback secret. */
export type AuditAction =
  | "webhook_created"
  | "webhook_changed"
  | "webhook_verified"
  | "webhook_paused"
  | "webhook_resumed"
  | "webhook_deleted"
  | "webhook_disabled"
  | "webhook_tested"
  | "secret_rotated"
  | "callback_secret_rotated"
  | "delivery_replayed"
  | "recovery_started"
  | "recovery_cancelled"
  | "level_changed";

/** A change of a webhook and what its audit calls it; without `detail` that tells which fields changed. */
export interface Change {
  webhook: Webhook;
  action: AuditAction;
  detail?: JsonObject;
}

/** An entry on its way into the audit of a tenant. */
export interface AuditRecord extends StoredRecord {
  action: AuditAction;
}

/** Where the entries of the whole installation are kept. */
export interface AuditBook {
  /** Adds the entry of something that D1 does not hold itself. The same one again changes nothing. */
  add(record: AuditRecord): Promise<void>;
  /** A page of what befell a subject, newest first. Refuses a cursor that is not one. */
  list(
    tenant: string,
    of: { subject: string },
    page: { cursor?: string | undefined; limit: number },
  ): Promise<Result<Page<AuditEntry>, Refusal>>;
  /** All that befell a subject, oldest first, read page by page as it is asked for. */
  all(tenant: string, of: { subject: string }): AsyncIterable<AuditEntry[]>;
}

/** The subject of the audit of a tenant's callback secret; no webhook's id looks like it. */
export const CALLBACK_SECRET = "callback_secret";

/** What no entry of this registry has: no request is told of beside its actor. */
const WEBHOOK = { subject_kind: "webhook", request_id: null } as const;

/** The record of what somebody does now. */
export function auditRecord(
  ports: { now: Clock; newId: () => string },
  by: Principal,
  what: { subject: string; action: AuditAction; detail: JsonObject },
): AuditRecord {
  return {
    tenant: by.tenant,
    audit_id: `aud_${ports.newId()}`,
    at: instant(ports.now()),
    actor: by.key_id,
    ...WEBHOOK,
    ...(what.subject === CALLBACK_SECRET && { subject_kind: CALLBACK_SECRET }),
    ...what,
    detail: scrubbed(what.detail),
  };
}

/** The record of a changed level, under the report's own id: told again it is the same one. */
export function levelRecord(tenant: string, webhook_id: string, report: LevelReport): AuditRecord {
  const { report_id, at, version: _version, ...detail } = report;
  return {
    tenant,
    subject: webhook_id,
    audit_id: report_id,
    at,
    actor: SYSTEM_ACTOR,
    ...WEBHOOK,
    action: "level_changed",
    detail,
  };
}

/** The record that a webhook was disabled because of its level. */
export function disabledRecord(
  tenant: string,
  webhook_id: string,
  report: LevelReport,
): AuditRecord {
  const { report_id, at, why } = report;
  return {
    tenant,
    subject: webhook_id,
    audit_id: `${report_id}_disabled`,
    at,
    actor: SYSTEM_ACTOR,
    ...WEBHOOK,
    action: "webhook_disabled",
    detail: { why },
  };
}

/**
 * What a webhook was made of, for the entry of its creation.
 *
 * Of headers the names alone, and of the address where it leads: the values of the ones and the path of the other are
 * often credentials, and an entry can never be removed.
 */
export function creationDetail(webhook: Webhook): JsonObject {
  const fields = Object.entries(shownFields(webhook)).map(([name, value]) => [
    name,
    shown(name, value),
  ]);
  const headers = Object.keys(webhook.registration.headers ?? {});
  return { registration: { ...Object.fromEntries(fields), header_names: headers } };
}

/**
 * Which fields a change gave another value, from which to which. Secrets are not among them, and of headers only
 * the names of those that were added, removed or given another value.
 */
export function changeDetail(before: Webhook, after: Webhook): JsonObject {
  const [old, fresh] = [shownFields(before), shownFields(after)];
  const fields = Object.entries(fresh).flatMap(([name, value]) => {
    const from = old[name];
    return isEqual(from, value)
      ? []
      : [[name, { from: shown(name, from), to: shown(name, value) }]];
  });
  const headers = headerChanges(before.registration.headers, after.registration.headers);
  return { changes: { ...Object.fromEntries(fields), ...(headers !== null && { headers }) } };
}

/** The word for a change by PATCH: pausing and resuming have their own when they are all of it. */
export function patchAction(before: Webhook, after: Webhook): AuditAction {
  const isOnlyState =
    before.state !== after.state && isEqual(before.registration, after.registration);
  if (!isOnlyState) return "webhook_changed";
  return after.state === "active" ? "webhook_resumed" : "webhook_paused";
}

/** What may be shown of a webhook as it was configured, less the values of its headers. */
function shownFields(webhook: Webhook): JsonObject {
  const {
    webhook_id: _id,
    headers: _values,
    active: _state,
    level: _level,
    created_at: _at,
    ...fields
  } = webhookView(webhook);
  return fields;
}

function headerChanges(
  before: Readonly<Record<string, string>> = {},
  after: Readonly<Record<string, string>> = {},
): JsonObject | null {
  const added = Object.keys(after).filter((name) => !Object.hasOwn(before, name));
  const removed = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const changed = Object.keys(after).filter(
    (name) => Object.hasOwn(before, name) && before[name] !== after[name],
  );
  return added.length + removed.length + changed.length === 0 ? null : { added, removed, changed };
}

/** A field as far as it may be kept for good. */
function shown(name: string, value: unknown): unknown {
  return name === "url" && typeof value === "string" ? briefUrl(value) : brief(value);
}

function isEqual(a: unknown, b: unknown): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
