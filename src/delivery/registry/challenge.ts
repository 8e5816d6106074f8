import { instant, type Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import type { Sealer } from "../../lib/seal.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type {
  WebhookChallenge,
  WebhookPatch,
  WebhookRegistration,
} from "../../protocol/webhook.ts";
import { KeyRing } from "../attempt.ts";
import { deliveryHeaders } from "../endpoint-headers.ts";
import { sendRequest, type SendAnswer } from "../sender.ts";
import { signatureHeader } from "../signature.ts";
import { wantedState, type StoredRegistration, type Webhook } from "./registration.ts";

const TYPE = "webhook_challenge";

/** What asking a receiver needs. */
export interface ChallengePorts {
  sealer: Sealer;
  /** 22 letters and digits that nobody can guess. */
  newId: () => string;
  now: Clock;
}

/** How a webhook begins: with a challenge it is paused until the receiver has met it. */
export function firstState({
  challenge,
  active,
}: WebhookRegistration): Pick<Webhook, "state" | "isVerified"> {
  return challenge === true
    ? { state: "paused", isVerified: false }
    : { state: wantedState("active", active), isVerified: true };
}

/**
 * A webhook after a change. A new url of one that was registered with a challenge has to be proven anew. Refuses
 * `endpoint_unverified` when it is to be active without proof.
 */
export function changed(
  webhook: Webhook,
  registration: StoredRegistration,
  active: WebhookPatch["active"],
): Result<Webhook, Refusal> {
  const isMoved = registration.challenge === true && registration.url !== webhook.registration.url;
  const isVerified = webhook.isVerified && !isMoved;
  if (!isVerified && active === true) return refuse(unverified(webhook.webhook_id));
  const state = isMoved ? "paused" : wantedState(webhook.state, active);
  return ok({ ...webhook, registration, isVerified, state });
}

/** Nothing but the challenge goes to a receiver that has not met it. */
export function unverified(webhook_id: string): Refusal {
  return {
    code: "endpoint_unverified",
    detail: `The receiver has not met its challenge; POST /v1/webhooks/${webhook_id}/verify sends it again.`,
  };
}

/**
 * Sends the challenge, signed like every notification. Null when the receiver met it: it answered 2xx, and what it
 * was sent stands in the first 1,000 characters of its answer. Otherwise the refusal `challenge_failed`.
 */
export async function challengeRefusal(
  webhook: Webhook,
  ports: ChallengePorts,
): Promise<Refusal | null> {
  const challenge = ports.newId();
  const now = ports.now();
  const message: WebhookChallenge = { type: TYPE, timestamp: instant(now), data: { challenge } };
  const body = new TextEncoder().encode(JSON.stringify(message));
  const id = `msg_${webhook.webhook_id.replace("_", "")}_challenge_${challenge}`;
  const timestamp = Math.floor(now / 1_000);
  const keys = await new KeyRing(ports.sealer).keysOf(webhook, now);
  const { url, headers, timeout } = webhook.registration;
  const answer = await sendRequest({
    url,
    headers: deliveryHeaders(headers ?? {}, {
      message_id: id,
      timestamp,
      signature: await signatureHeader(keys, { id, timestamp, body }),
      encoding: null,
      batch_size: null,
      task_id: null,
      type: TYPE,
      attempt: 1,
      correlation_id: "",
      span_id: "",
    }),
    body,
    timeoutMs: timeout * 1_000,
  });
  const detail = failureOf(answer, challenge);
  return detail === null
    ? null
    : { code: "challenge_failed", detail, extra: { status_code: answer.status_code } };
}

function failureOf(answer: SendAnswer, challenge: string): string | null {
  const { status_code, fault, response_body } = answer;
  if (status_code === null) {
    return fault === "timeout" ? "It did not answer in time." : "It could not be reached.";
  }
  if (status_code < 200 || status_code > 299) return `It answered ${status_code}, not 2xx.`;
  return response_body?.includes(challenge) === true
    ? null
    : `It answered ${status_code} without the text of data.challenge in its answer.`;
}
