/** Random bytes of a key: 256 bits, 43 characters of base64url. */
export const KEY_BYTES = 32;

const PREFIX = "bk_";
const KEY_FORM = /^bk_[A-Za-z0-9_-]{43}$/;

/**
 * An API key from random bytes.
 *
 * @throws RangeError unless there are `KEY_BYTES` of them
 */
export function mintKey(random: Uint8Array): string {
  if (random.length !== KEY_BYTES) throw new RangeError(`a key takes ${KEY_BYTES} bytes`);
  const text = btoa(String.fromCodePoint(...random));
  return PREFIX + text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Whether a text has the form of a key, so that one that has not costs no look-up. */
export function isKeyForm(text: string): boolean {
  return KEY_FORM.test(text);
}

/**
 * Whether two hashes of one length are equal, in a time that does not depend on where they differ.
 *
 * Texts of unequal length are unequal at once: the length of a hash is no secret.
 */
export function isSameHash(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let place = 0; place < a.length; place += 1) {
    difference |= a.charCodeAt(place) ^ b.charCodeAt(place);
  }
  return difference === 0;
}
