/** FNV-1a, 32 bits: short, and even enough to deal out names (draft-eastlake-fnv). */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * Which of so many parts a text belongs to, from 0. The same for ever.
 *
 * @param parts how many there are, from 1
 */
export function spread(text: string, parts: number): number {
  let hash = OFFSET_BASIS;
  for (let place = 0; place < text.length; place += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(place), PRIME) >>> 0;
  }
  // The low bits of FNV mix worst, and parts are often powers of two: fold the high ones in.
  return ((hash ^ (hash >>> 16)) >>> 0) % parts;
}
