import { hex } from "../lib/ports.ts";
import type { Clock } from "../lib/ports.ts";
import { encodeBody } from "./compression.ts";
import { messageId } from "./delivery-id.ts";
import type { EndpointConfig } from "./endpoint-config.ts";
import { deliveryHeaders } from "./endpoint-headers.ts";
import type { DeliveryRow } from "./endpoint/delivery-row.ts";
import type { SendReport } from "./endpoint/settle.ts";
import { sendRequest } from "./sender.ts";
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

/** One delivery on its way out. */
export interface Job {
  row: DeliveryRow;
  /** The body as it was fixed when the notification was accepted. */
  body: string;
  config: EndpointConfig;
  isManual: boolean;
}

/** Signs and sends one attempt. Never throws: no answer is a report too. */
export async function attemptDelivery(
  job: Job,
  ports: { now: Clock; keys: KeyRing },
): Promise<SendReport> {
  const { row, config, isManual } = job;
  const { bytes: body, encoding } = await encodeBody(job.body, config.compression);
  const id = messageId({ webhook_id: config.webhook_id, source: row.source, seq: row.seq });
  const started_at = ports.now();
  const timestamp = Math.floor(started_at / 1_000);
  const keys = await ports.keys.keysOf(config.secrets, started_at);
  const headers = deliveryHeaders(config.headers, {
    message_id: id,
    timestamp,
    signature: await signatureHeader(keys, { id, timestamp, body }),
    encoding,
    task_id: row.seq > 0 ? row.source : null,
    type: row.type,
    attempt: row.attempts + 1,
    correlation_id: row.correlation_id,
    span_id: spanId(),
  });
  const { url, timeout } = config;
  const answer = await sendRequest({ url, headers, body, timeoutMs: timeout * 1_000 });
  return { ...answer, started_at, ended_at: ports.now(), isManual };
}

function spanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return hex(bytes);
}
