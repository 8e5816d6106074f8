import { sha256Hex } from "./ports.ts";

/* W3C Trace Context Level 1, as far as it needs no state. */

/** Characters of a span id: 8 bytes in hexadecimal (§3.2.2.4). */
const SPAN_ID_LENGTH = 16;

/** Set for a trace that nobody has decided to leave out (§3.2.2.5.1). */
const SAMPLED = "01";

/**
 * The id of a span that is known by its name: the first 8 bytes of SHA-256 of trace id and name.
 *
 * Whoever has to name the span finds the same id, whenever and wherever it is asked, so that nobody has to keep it.
 */
export async function spanIdOf(traceId: string, name: string): Promise<string> {
  const digest = await sha256Hex(`${traceId}/${name}`);
  return digest.slice(0, SPAN_ID_LENGTH);
}

/** The header that says of what span a message is a part; null where the trace id is none of the standard's. */
export function traceparentOf(traceId: string, spanId: string): string | null {
  return /^[0-9a-f]{32}$/.test(traceId) ? `00-${traceId}-${spanId}-${SAMPLED}` : null;
}
