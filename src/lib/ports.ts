/** Milliseconds since the epoch. Passed in everywhere, so that tests decide what time it is. */
export type Clock = () => number;

/** A uniform draw in [0, 1). Passed in, so that rules stay deterministic. */
export type Random = () => number;

/** An RFC 3339 UTC instant with milliseconds from epoch milliseconds. */
export function instant(ms: number): string {
  return new Date(ms).toISOString();
}

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * Bytes as base 62 text: letters and digits only, so that ids need no escaping anywhere.
 *
 * Sixteen bytes always give 22 characters.
 */
export function base62(bytes: Uint8Array): string {
  let number = 0n;
  for (const byte of bytes) number = (number << 8n) | BigInt(byte);
  let text = "";
  const length = Math.ceil((bytes.length * 8) / Math.log2(62));
  for (let place = 0; place < length; place += 1) {
    text = (ALPHABET[Number(number % 62n)] ?? "0") + text;
    number /= 62n;
  }
  return text;
}

/** 128 random bits as 22 characters of base 62. */
export function randomId(): string {
  return base62(crypto.getRandomValues(new Uint8Array(16)));
}

/** The first 128 bits of a SHA-256 as 22 characters of base 62: equal contents give equal ids. */
export async function derivedId(content: string | Uint8Array): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return base62(new Uint8Array(digest).slice(0, 16));
}

/** Bytes as lower-case hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A SHA-256 of a text as lower-case hexadecimal. */
export async function sha256Hex(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return hex(new Uint8Array(digest));
}

/** JSON with sorted keys, so that equal values give equal texts whatever order they came in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
