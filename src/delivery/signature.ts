/** What every secret starts with (Standard Webhooks 1.0, Signature scheme). */
const PREFIX = "whsec_";

/** 32 bytes: inside the 24-64 that Standard Webhooks asks for, and the block of its HMAC-SHA256. */
const SECRET_BYTES = 32;

/** A secret made ready to sign. */
export type SigningKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** What a signature covers. */
export interface SignedParts {
  id: string;
  timestamp: number;
  body: Uint8Array;
}

/** A rotation needs two; whoever sends more signatures wants us to compute. */
const MOST_SIGNATURES = 8;

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
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
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
  message: SignedParts,
): Promise<string> {
  const signed = signedBytes(message);
  const signatures = await Promise.all(
    keys.map(async (key) => {
      const digest = await crypto.subtle.sign("HMAC", key, signed);
      return `v1,${btoa(String.fromCodePoint(...new Uint8Array(digest)))}`;
    }),
  );
  return signatures.join(" ");
}

/**
 * Whether one of the signatures in a `webhook-signature` header was made with one of the keys.
 *
 * The platform compares in constant time. Signatures of another version than `v1` and beyond the eighth count for
 * nothing. How old a message may be is for the caller to say.
 */
export async function isSigned(
  keys: readonly SigningKey[],
  message: SignedParts,
  header: string,
): Promise<boolean> {
  const signed = signedBytes(message);
  const signatures = header.split(" ").slice(0, MOST_SIGNATURES).flatMap(digestIn);
  const checks = keys.flatMap((key) =>
    signatures.map((digest) => crypto.subtle.verify("HMAC", key, digest, signed)),
  );
  return (await Promise.all(checks)).includes(true);
}

function digestIn(signature: string): Uint8Array<ArrayBuffer>[] {
  const [, base64] = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(signature) ?? [];
  if (base64 === undefined) return [];
  return [Uint8Array.from(atob(base64), (character) => character.codePointAt(0) ?? 0)];
}

function signedBytes({ id, timestamp, body }: SignedParts): Uint8Array<ArrayBuffer> {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`);
  const signed = new Uint8Array(head.length + body.length);
  signed.set(head);
  signed.set(body, head.length);
  return signed;
}
