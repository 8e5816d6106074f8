import type { EndpointConfig } from "./endpoint-config.ts";

/** Bodies above 1 KiB are compressed (protocol.md §7, Webhooks): below, gzip saves little or nothing. */
const COMPRESSED_ABOVE_BYTES = 1_024;

/** The bytes of a request's body as they are sent and signed, and their content coding, if any. */
export interface EncodedBody {
  bytes: Uint8Array;
  encoding: "gzip" | null;
}

/**
 * A body in the form in which an endpoint wants it.
 *
 * The platform's gzip writes no time and no name into its header, so equal bodies give equal bytes, attempt for
 * attempt, as long as the runtime's zlib stays the same; what a receiver deduplicates on is the webhook-id.
 */
export async function encodeBody(
  body: string,
  compression: EndpointConfig["compression"],
): Promise<EncodedBody> {
  const bytes = new TextEncoder().encode(body);
  if (compression === "none" || bytes.length <= COMPRESSED_ABOVE_BYTES) {
    return { bytes, encoding: null };
  }
  const compressed = new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"));
  return { bytes: new Uint8Array(await new Response(compressed).arrayBuffer()), encoding: "gzip" };
}
