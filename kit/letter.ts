import { randomBytes } from "node:crypto";

import { Webhook } from "standardwebhooks";

/* Webhook requests as a sender makes them, and as one who is none might. The reference library signs. */

/** A signing secret of 32 random bytes, in the form of Standard Webhooks. */
export function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** What is to be signed. */
export interface Letter {
  id: string;
  body: string;
  /** Seconds that the timestamp is off from now. */
  offsetSeconds?: number;
}

/** One signature of a letter: `v1,<base64>`. */
export function signature(secret: string, letter: Letter, now: number): string {
  return new Webhook(secret).sign(letter.id, new Date(seconds(letter, now) * 1_000), letter.body);
}

/** The headers of a letter with the signatures given, epoch milliseconds. */
export function headersOf(
  letter: Letter,
  signatures: readonly string[],
  now: number,
): Record<string, string> {
  return {
    "content-type": "application/json",
    "webhook-id": letter.id,
    "webhook-timestamp": String(seconds(letter, now)),
    "webhook-signature": signatures.join(" "),
  };
}

function seconds({ offsetSeconds = 0 }: Letter, now: number): number {
  return Math.floor(now / 1_000) + offsetSeconds;
}

/** What a letter was answered with; status 0 and a reason where there was no answer. */
export interface Receipt {
  status: number;
  retryAfter: string | null;
  durationMs: number;
  what: string;
}

/** Longest wait for an answer: protocol.md §3, webhook_registration (timeout 1–30 s). Milliseconds. */
const ANSWER_MS = 30_000;

/** Sends a letter. Never throws for what the receiver does. */
export async function post(
  url: string,
  letter: Letter,
  { headers, what }: { headers: Record<string, string>; what: string },
): Promise<Receipt> {
  const began = performance.now();
  const after = (): number => Math.round(performance.now() - began);
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers,
      body: letter.body,
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    await answer.arrayBuffer();
    const retryAfter = answer.headers.get("retry-after");
    return { status: answer.status, retryAfter, durationMs: after(), what };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: 0, retryAfter: null, durationMs: after(), what: `${what} (${reason})` };
  }
}

/** A receipt as a line for a person. */
export function receiptLine({ what, status, durationMs }: Receipt): string {
  return `${what} → ${status === 0 ? "no answer" : status} after ${durationMs} ms`;
}
