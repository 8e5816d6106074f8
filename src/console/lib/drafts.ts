import { isRecord } from "./shape.ts";

/* What forms hold, all as text, and the requests that they become. The server judges them. */

/** An instant of a `datetime-local` field, in UTC; undefined where there is none. */
function instantIn(local: string): string | undefined {
  const at = new Date(local);
  return local === "" || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/** What a `datetime-local` field shows of an instant, to the minute, in the reader's own time. */
export function localTime(at: number): string {
  const zone = new Date(at).getTimezoneOffset() * 60_000;
  return new Date(at - zone).toISOString().slice(0, 16);
}

/** A JSON object that somebody wrote; null where it is none. */
function objectIn(written: string): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(written);
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

/** The form of a webhook. */
export interface WebhookDraft {
  url: string;
  name: string;
  events: string[];
  ordering: string;
  timeout: string;
  challenge: boolean;
}

/** The body of POST /v1/webhooks. */
export function webhookBody(draft: WebhookDraft): Record<string, unknown> {
  const name = draft.name.trim();
  return {
    url: draft.url.trim(),
    ...(name !== "" && { name }),
    events: draft.events,
    ordering: draft.ordering,
    ...(draft.timeout.trim() !== "" && { timeout: Number(draft.timeout) }),
    ...(draft.challenge && { challenge: true }),
  };
}

/** The form of a recovery: times as `datetime-local` fields have them. */
export interface RecoveryDraft {
  since: string;
  until: string;
  state: string;
}

/** The body of POST /v1/webhooks/{id}/recover. */
export function recoveryBody(draft: RecoveryDraft, dry_run: boolean): Record<string, unknown> {
  const until = instantIn(draft.until);
  return {
    since: instantIn(draft.since),
    ...(until !== undefined && { until }),
    state: draft.state,
    dry_run,
  };
}

/** The form of an answer to a question. */
export interface ResolutionDraft {
  decision: string;
  answer: string;
  patch: string;
}

/** The body of POST /v1/escalations/{id}/resolve; null where the patch is no JSON object. */
export function resolutionBody(draft: ResolutionDraft): Record<string, unknown> | null {
  const answer = draft.answer.trim();
  const body = { decision: draft.decision, ...(answer !== "" && { answer }) };
  if (draft.decision !== "change" || draft.patch.trim() === "") return body;
  const patch = objectIn(draft.patch);
  return patch === null ? null : { ...body, patch };
}

/** The form of a key. */
export interface KeyDraft {
  name: string;
  scopes: string[];
  expires: string;
}

/** The body of POST /v1/keys. */
export function keyBody({ name, scopes, expires }: KeyDraft): Record<string, unknown> {
  const expires_at = instantIn(expires);
  return { name: name.trim(), scopes, ...(expires_at !== undefined && { expires_at }) };
}

/** The form of a silence. */
export interface SilenceDraft {
  rule_id: string;
  max_severity: string;
  duration_s: string;
  reason: string;
}

/** The body of POST /v1/silences. */
export function silenceBody(draft: SilenceDraft): Record<string, unknown> {
  return {
    ...(draft.rule_id !== "" && { rule_id: draft.rule_id }),
    max_severity: draft.max_severity,
    duration_s: Number(draft.duration_s),
    reason: draft.reason.trim(),
  };
}

/** The body of POST /v1/alerts/{id}/acknowledge. */
export function acknowledgementBody(note: string): Record<string, unknown> {
  return note.trim() === "" ? {} : { note: note.trim() };
}
