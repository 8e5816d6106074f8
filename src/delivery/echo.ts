/** Headers of a delivery that anybody may see; the signature and what a registration added may be credentials. */
const OPEN: ReadonlySet<string> = new Set([
  "user-agent",
  "content-type",
  "content-encoding",
  "webhook-id",
  "webhook-timestamp",
  "x-notification-type",
  "x-attempt",
  "x-task-id",
  "x-batch-size",
  "traceparent",
  "idempotency-key",
]);

/** No credential is shorter; what is would blot out ordinary words. Characters. */
const SHORTEST = 8;

/**
 * A receiver's answer without the credentials of the request that it answers: receivers that break show what they were
 * sent, and the answer is kept where more people read than should know them.
 *
 * Of `Bearer abc` the word `abc` is taken out wherever it stands, also as it would be written in JSON; of `Basic` what it
 * stands for, too.
 *
 * @param hidden credentials that the request has elsewhere: in its address or its body
 */
export function withoutEchoes(
  text: string,
  headers: Readonly<Record<string, string>>,
  hidden: readonly string[] = [],
): string {
  const words = Object.entries(headers)
    .filter(([name]) => !OPEN.has(name.toLowerCase()))
    .flatMap(([, value]) => [value, ...value.split(/\s+/), ...basicOf(value)])
    .concat(hidden)
    .filter((word) => word.length >= SHORTEST)
    .flatMap((word) => [word, JSON.stringify(word).slice(1, -1)])
    // The longest first: what is left of one of which a part is gone would be shown.
    .toSorted((one, other) => other.length - one.length);
  return words.reduce((rest, word) => rest.replaceAll(word, "[redacted]"), text);
}

/** User and password together, and the password alone, of Basic credentials (RFC 7617). */
function basicOf(header: string): string[] {
  const [, encoded = ""] = /^Basic\s+([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? [];
  try {
    const pair = atob(encoded);
    return [pair, pair.slice(pair.indexOf(":") + 1)];
  } catch {
    // No base64: a receiver can't have read it either.
    return [];
  }
}
