import { base64url, bytesOf, fromBase64url, hkdf } from "./key-material.ts";

type MacKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const HMAC = { name: "HMAC", hash: "SHA-256", length: 256 } as const;

/** Marks texts so that nobody else can make them. */
export interface Mac {
  /** The mark of a text, 43 characters of base64url. */
  sign(text: string): Promise<string>;
  /** Whether a mark is of this text, by any of the keys. Compared in constant time by the platform. */
  isSigned(text: string, mark: string): Promise<boolean>;
}

/**
 * HMAC-SHA-256 under keys that HKDF derives from texts, for one purpose: marks of another purpose never pass.
 *
 * @param keys the first one signs, all of them verify
 */
export function createMac(keys: readonly string[], purpose: string): Mac {
  let derived: Promise<MacKey[]> | null = null;
  const ready = (): Promise<MacKey[]> =>
    (derived ??= Promise.all(keys.map((text) => deriveMacKey(text, purpose))));
  return {
    async sign(text) {
      const [key] = await ready();
      if (key === undefined) throw new Error("There is no key to sign with");
      return base64url(new Uint8Array(await crypto.subtle.sign(HMAC.name, key, bytesOf(text))));
    },
    async isSigned(text, mark) {
      const digest = fromBase64url(mark);
      const checks = (await ready()).map((key) =>
        crypto.subtle.verify(HMAC.name, key, digest, bytesOf(text)),
      );
      return (await Promise.all(checks)).includes(true);
    },
  };
}

async function deriveMacKey(text: string, purpose: string): Promise<MacKey> {
  const material = await crypto.subtle.importKey("raw", bytesOf(text), "HKDF", false, [
    "deriveKey",
  ]);
  return crypto.subtle.deriveKey(hkdf(purpose), material, HMAC, false, ["sign", "verify"]);
}
