/** A vector of any length and scale as signed bytes; its largest component is 127. The zero vector stays that. */
export function quantised(vector: ArrayLike<number>): Int8Array {
  const values = Array.from(vector);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest > 0 && Number.isFinite(largest) ? 127 / largest : 0;
  return Int8Array.from(values, (value) => Math.round(value * scale));
}

/** Cosine of the angle between two vectors, in [-1, 1]; 0 where they are not of one length, or one is zero. */
export function cosine(a: Int8Array, b: Int8Array): number {
  if (a.length !== b.length) return 0;
  let [dot, ofA, ofB] = [0, 0, 0];
  for (let index = 0; index < a.length; index += 1) {
    const [one, other] = [a[index] ?? 0, b[index] ?? 0];
    dot += one * other;
    ofA += one * one;
    ofB += other * other;
  }
  return ofA === 0 || ofB === 0 ? 0 : dot / Math.sqrt(ofA * ofB);
}

/** A vector as text, for calls whose payloads are JSON. */
export function vectorText(vector: Int8Array): string {
  return btoa(
    String.fromCodePoint(...new Uint8Array(vector.buffer, vector.byteOffset, vector.length)),
  );
}

/**
 * The vector of a text that `vectorText` made.
 *
 * @throws DOMException when it is not base64
 */
export function vectorOf(text: string): Int8Array {
  return Int8Array.from(atob(text), (character) => character.codePointAt(0) ?? 0);
}
