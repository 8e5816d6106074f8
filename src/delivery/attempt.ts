import type { Clock } from "../lib/ports.ts";
import type { Sealer } from "../lib/seal.ts";
import { spanIdOf } from "../lib/trace-context.ts";
import { deliveryAttemptSpan } from "../protocol/span-names.ts";
import { encodeBody } from "./compression.ts";
import type { EndpointConfig } from "./endpoint-config.ts";
import { deliveryHeaders, type HeaderFacts } from "./endpoint-headers.ts";
import type { SendReport } from "./endpoint/settle.ts";
import { secretOwner, type SecretHolder } from "./sealed-secrets.ts";
import { sendRequest, type SendAnswer } from "./sender.ts";
import { signatureHeader, signingKey, type SigningKey } from "./signature.ts";

/** The keys of one endpoint, made once per secret: only here, in memory, are its secrets open. */
export class KeyRing {
  readonly #sealer: Pick<Sealer, "open">;
  readonly #keys = new Map<string, Promise<SigningKey>>();

  constructor(sealer: Pick<Sealer, "open">) {
    this.#sealer = sealer;
  }

  /**
   * The keys of all secrets that have not expired, newest first.
   *
   * @throws when one of them does not open: its key is none of the installation's
   */
  async keysOf(endpoint: SecretHolder, now: number): Promise<SigningKey[]> {
    const live = endpoint.secrets.filter(
      ({ expires_at }) => expires_at === null || Date.parse(expires_at) > now,
    );
    const owner = secretOwner(endpoint);
    return Promise.all(
      live.map(({ secret }) => {
        const key = this.#keys.get(secret) ?? this.#open(secret, owner);
        this.#keys.set(secret, key);
        return key;
      }),
    );
  }

  async #open(sealed: string, owner: string): Promise<SigningKey> {
    return signingKey(await this.#sealer.open(sealed, owner));
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
  /** What it carries; of a batch, the first. */
  delivery_id: string;
  config: EndpointConfig;
  /** When it begins: epoch milliseconds. */
  started_at: number;
}

/** What came back, and when. */
export type AttemptAnswer = SendAnswer & Pick<SendReport, "started_at" | "ended_at">;

/**
 * Signs and sends one attempt. No answer is a report too.
 *
 * @throws when the endpoint's secrets don't open: nothing was sent then
 */
export async function attemptDelivery(
  job: Job,
  ports: { now: Clock; keys: KeyRing },
): Promise<AttemptAnswer> {
  const { message_id, facts, delivery_id, config, started_at } = job;
  const { bytes: body, encoding } = await encodeBody(job.body, config.compression);
  const timestamp = Math.floor(started_at / 1_000);
  const span = deliveryAttemptSpan(delivery_id, facts.attempt);
  const keys = await ports.keys.keysOf(config, started_at);
  const headers = deliveryHeaders(config.headers, {
    ...facts,
    message_id,
    timestamp,
    signature: await signatureHeader(keys, { id: message_id, timestamp, body }),
    encoding,
    span_id: await spanIdOf(facts.correlation_id, span),
  });
  const { url, timeout } = config;
  const answer = await sendRequest({ url, headers, body, timeoutMs: timeout * 1_000 });
  return { ...answer, started_at, ended_at: ports.now() };
}
