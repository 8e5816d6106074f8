import { base64url, bytesOf, fromBase64url, hkdf } from "./key-material.ts";
import { hex } from "./ports.ts";

/** A sealed text: its form, the id of its key, the IV and the ciphertext, both base64url. */
export const SEALED_FORM = /^sealed\.v1\.([0-9a-f]{12})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]+)$/;

/** Of a key's text may be no less: less could be guessed. Characters. */
export const SHORTEST_SEAL_KEY = 32;

/** 96 bits, the length that GCM is made for (NIST SP 800-38D §5.2.1.1). */
const IV_BYTES = 12;

/** Keeps texts unreadable where they are stored. `owner` says whose a text is: moved to another owner, it never opens. */
export interface Sealer {
  /** Never the same twice. */
  seal(text: string, owner: string): Promise<string>;
  /**
   * The text again. What never was sealed comes back as it is, so that what an earlier version stored stays readable.
   *
   * @throws when its key is none of ours, it was changed, or it is another owner's
   */
  open(stored: string, owner: string): Promise<string>;
  /**
   * The same text sealed with the first key; as it is when that key has sealed it already.
   *
   * @throws as `open`
   */
  renew(stored: string, owner: string): Promise<string>;
}

type CipherKey = Awaited<ReturnType<typeof crypto.subtle.deriveKey>>;

/** A key and the id by which its texts name it. */
interface SealKey {
  id: string;
  cipher: CipherKey;
}

/**
 * Seals with AES-256-GCM under keys that HKDF-SHA-256 derives from texts (RFC 5869).
 *
 * @param keys each of at least 32 characters: the first one seals, all of them open
 */
export function createSealer(keys: readonly string[]): Sealer {
  let derived: Promise<SealKey[]> | null = null;
  const ready = (): Promise<SealKey[]> => (derived ??= Promise.all(keys.map(deriveSealKey)));
  const first = async (): Promise<SealKey> => {
    const [key] = await ready();
    if (key === undefined) throw new Error("There is no key to seal with");
    return key;
  };

  const sealer: Sealer = {
    async seal(text, owner) {
      const { id, cipher } = await first();
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const sealed = await crypto.subtle.encrypt(gcm(iv, owner), cipher, bytesOf(text));
      return `sealed.v1.${id}.${base64url(iv)}.${base64url(new Uint8Array(sealed))}`;
    },
    async open(stored, owner) {
      if (!stored.startsWith("sealed.")) return stored;
      const [, id, iv = "", sealed = ""] = SEALED_FORM.exec(stored) ?? [];
      const key = (await ready()).find((known) => known.id === id);
      if (key === undefined) throw new Error(`No key opens what was sealed with key ${id}`);
      try {
        const text = await crypto.subtle.decrypt(
          gcm(fromBase64url(iv), owner),
          key.cipher,
          fromBase64url(sealed),
        );
        return new TextDecoder().decode(text);
      } catch (error) {
        throw new Error(`A sealed text of ${owner} was changed, or is another owner's`, {
          cause: error,
        });
      }
    },
    async renew(stored, owner) {
      const { id } = await first();
      if (stored.startsWith(`sealed.v1.${id}.`)) return stored;
      return sealer.seal(await sealer.open(stored, owner), owner);
    },
  };
  return sealer;
}

/** Two derivations from one text: the cipher's key, and an id that tells nothing of it. */
async function deriveSealKey(text: string): Promise<SealKey> {
  const material = await crypto.subtle.importKey("raw", bytesOf(text), "HKDF", false, [
    "deriveBits",
    "deriveKey",
  ]);
  const [id, cipher] = await Promise.all([
    crypto.subtle.deriveBits(hkdf("seal v1 key id"), material, 48),
    crypto.subtle.deriveKey(
      hkdf("seal v1 key"),
      material,
      { name: "AES-GCM", length: 256 },
      false,
      ["encrypt", "decrypt"],
    ),
  ]);
  return { id: hex(new Uint8Array(id)), cipher };
}

function gcm(iv: Uint8Array, owner: string) {
  return { name: "AES-GCM", iv, additionalData: bytesOf(owner) };
}
