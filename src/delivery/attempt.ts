import { hex } from "../lib/ports.ts";
import type { Clock } from "../lib/ports.ts";
import { encodeBody } from "./compression.ts";
import type { EndpointConfig } from "./endpoint-config.ts";
import { deliveryHeaders, type HeaderFacts } from "./endpoint-headers.ts";
import type { SendReport } from "./endpoint/settle.ts";
import { sendRequest, type SendAnswer } from "./sender.ts";
import { signatureHeader, signingKey, type SigningKey } from "./signature.ts";

/** The keys of one endpoint, made once per secret. */
export class KeyRing {
  readonly #keys = new Map<string, Promise<SigningKey>>();

  /** The keys of all secrets that have not expired, newest first. */
  async keysOf(secrets: EndpointConfig["secrets"], now: number): Promise<SigningKey[]> {
    const live = secrets.filter(
      ({ expires_at }) => expires_at === null || Date.parse(expires_at) > now,
    );
    return Promise.all(
      live.map(({ secret }) => {
        const key = this.#keys.get(secret) ?? signingKey(secret);
        this.#keys.set(secret, key);
        return key;
      }),
    );
  }
}

/** One request on its way out: a delivery alone, or a batch. */
export interface Job {
  /** The webhook-id. */
  message_id: string;
  /** The body as it was fixed when the notification was accepted. */
  body: string;
  /** What the headers tell of it. */
  facts: Pick<HeaderFacts, "task_id" | "type" | "attempt" | "correlation_id" | "batch_size">;
  config: EndpointConfig;
  /** When it begins: epoch milliseconds. */
  started_at: number;
}

/** What came back, and when. */
export type AttemptAnswer = SendAnswer & Pick<SendReport, "started_at" | "ended_at">;

/** Signs and sends one attempt. Never throws: no answer is a report too. */
export async function attemptDelivery(
  job: Job,
  ports: { now: Clock; keys: KeyRing },
): Promise<AttemptAnswer> {
  const { message_id, facts, config, started_at } = job;
  const { bytes: body, encoding } = await encodeBody(job.body, config.compression);
  const timestamp = Math.floor(started_at / 1_000);
  const keys = await ports.keys.keysOf(config.secrets, started_at);
  const headers = deliveryHeaders(config.headers, {
    ...facts,
    message_id,
    timestamp,
    signature: await signatureHeader(keys, { id: message_id, timestamp, body }),
    encoding,
    span_id: spanId(),
  });
  const { url, timeout } = config;
  const answer = await sendRequest({ url, headers, body, timeoutMs: timeout * 1_000 });
  return { ...answer, started_at, ended_at: ports.now() };
}

function spanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return hex(bytes);
}
