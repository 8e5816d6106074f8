import type { Job, KeyRing } from "../attempt.ts";
import { encodeBody } from "../compression.ts";
import { deliveryHeaders } from "../endpoint-headers.ts";
import type { SendRequest } from "../sender.ts";
import { signatureHeader } from "../signature.ts";

/**
 * A Standard Webhook, signed with each secret that has not expired (protocol.md §5).
 *
 * @param span_id names this attempt in the trace: 16 hexadecimal digits
 * @throws when the endpoint's secrets don't open
 */
export async function standardRequest(
  { message_id, body: text, facts, config, started_at }: Job,
  ring: KeyRing,
  span_id: string,
): Promise<Omit<SendRequest, "timeoutMs">> {
  const { bytes: body, encoding } = await encodeBody(text, config.compression);
  const timestamp = Math.floor(started_at / 1_000);
  const keys = await ring.keysOf(config, started_at);
  const headers = deliveryHeaders(config.headers, {
    ...facts,
    message_id,
    timestamp,
    signature: await signatureHeader(keys, { id: message_id, timestamp, body }),
    encoding,
    span_id,
  });
  return { url: config.url, headers, body, hidden: [] };
}
