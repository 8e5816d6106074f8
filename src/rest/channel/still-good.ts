import { bearerOf } from "../edge/auth.ts";
import type { KeyPort } from "../key-port.ts";

/**
 * What asks whether the key that a request was sent with still opens doors. Rooms of keys remember a good one for some
 * seconds, so that it may be asked often; it stays good when nobody can be asked.
 *
 * @param header the Authorization header; without one there is no key that could end
 */
export function stillGoodBy(
  keys: Pick<KeyPort, "principalOf">,
  header: string | undefined,
): () => Promise<boolean> {
  const key = bearerOf(header);
  return async () => {
    if (key === undefined) return true;
    try {
      return (await keys.principalOf(key)) !== null;
    } catch {
      // Work that was begun goes on while D1 is down.
      return true;
    }
  };
}
