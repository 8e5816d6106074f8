/** What every secret starts with (Standard Webhooks 1.0, Signature scheme). */
const PREFIX = "whsec_";

/** 32 bytes: inside the 24-64 that Standard Webhooks asks for, and the block of its HMAC-SHA256. */
const SECRET_BYTES = 32;

/** A secret made ready to sign. */
export type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A new signing secret with 256 random bits. */
export function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return PREFIX + btoa(String.fromCodePoint(...bytes));
}

/**
 * The key that a secret stands for. Costs more than a signature, so callers keep it.
 *
 * @throws when the part behind `whsec_` is empty or no base64
 */
export async function signingKey(secret: string): Promise<SigningKey> {
  const bytes = Uint8Array.from(
    atob(secret.replace(PREFIX, "")),
    (character) => character.codePointAt(0) ?? 0,
  );
  if (bytes.length === 0) throw new Error("A signing secret must not be empty");
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

/**
 * The value of `webhook-signature`: one `v1,<base64>` per key, separated by spaces.
 *
 * Signed are the exact bytes `id.timestamp.body` (Standard Webhooks 1.0, Signature scheme), so `body` has to be
 * what is sent, byte for byte.
 *
 * @param message.timestamp unix seconds of this attempt
 */
export async function signatureHeader(
  keys: readonly SigningKey[],
  message: { id: string; timestamp: number; body: Uint8Array },
): Promise<string> {
  const head = new TextEncoder().encode(`${message.id}.${message.timestamp}.`);
  const signed = new Uint8Array(head.length + message.body.length);
  signed.set(head);
  signed.set(message.body, head.length);
  const signatures = await Promise.all(
    keys.map(async (key) => {
      const digest = await crypto.subtle.sign("HMAC", key, signed);
      return `v1,${btoa(String.fromCodePoint(...new Uint8Array(digest)))}`;
    }),
  );
  return signatures.join(" ");
}
