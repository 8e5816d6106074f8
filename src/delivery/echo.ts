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
 * Of `Bearer abc` the word `abc` is taken out wherever it stands, also as it would be written in JSON.
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
    .flatMap(([, value]) => [value, ...value.split(/\s+/)])
    .concat(hidden)
    .filter((word) => word.length >= SHORTEST)
    .flatMap((word) => [word, JSON.stringify(word).slice(1, -1)])
    // The longest first: what is left of one of which a part is gone would be shown.
    .toSorted((one, other) => other.length - one.length);
  return words.reduce((rest, word) => rest.replaceAll(word, "[redacted]"), text);
}
