import { bytesOf } from "../lib/key-material.ts";
import type { Clock } from "../lib/ports.ts";
import type { Sealer } from "../lib/seal.ts";
import { spanIdOf } from "../lib/trace-context.ts";
import { deliveryAttemptSpan } from "../protocol/span-names.ts";
import type { EndpointConfig } from "./endpoint-config.ts";
import type { HeaderFacts } from "./endpoint-headers.ts";
import type { SendReport } from "./endpoint/settle.ts";
import { messageOf } from "./format/message.ts";
import { providerRequest } from "./format/provider.ts";
import { standardRequest } from "./format/standard.ts";
import { secretOwner, type SecretHolder } from "./sealed-secrets.ts";
import { sendRequest, type SendAnswer, type SendRequest } from "./sender.ts";
import { signingKey, type SigningKey } from "./signature.ts";

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

  /**
   * The newest secret in clear, for a provider that wants it as it is.
   *
   * @throws as `keysOf`
   */
  async secretOf(endpoint: SecretHolder): Promise<string> {
    return this.#sealer.open(endpoint.secrets[0]?.secret ?? "", secretOwner(endpoint));
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
 * Sends one attempt, in the form that its endpoint takes. No answer is a report too.
 *
 * @throws when the endpoint's secrets don't open: nothing was sent then
 */
export async function attemptDelivery(
  job: Job,
  ports: { now: Clock; keys: KeyRing },
): Promise<AttemptAnswer> {
  const { config, started_at } = job;
  const request = await requestOf(job, ports.keys);
  const answer = await sendRequest({ ...request, timeoutMs: config.timeout * 1_000 });
  return { ...answer, started_at, ended_at: ports.now() };
}

async function requestOf(job: Job, keys: KeyRing): Promise<Omit<SendRequest, "timeoutMs">> {
  const { config, message_id, delivery_id, facts } = job;
  const { format } = config;
  if (format.api === "standard") {
    const span = deliveryAttemptSpan(delivery_id, facts.attempt);
    return standardRequest(job, keys, await spanIdOf(facts.correlation_id, span));
  }
  const secret = await keys.secretOf(config);
  const message = messageOf(job.body, message_id);
  const { body, ...request } = await providerRequest(
    { message, message_id, config, secret },
    format,
  );
  return { ...request, body: bytesOf(body) };
}
