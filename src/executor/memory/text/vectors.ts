/** A vector of any length and scale as signed bytes; its largest component is 127. The zero vector stays that. */
export function quantised(vector: ArrayLike<number>): Int8Array {
  const values = Array.from(vector);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const scale = largest > 0 && Number.isFinite(largest) ? 127 / largest : 0;
  return Int8Array.from(values, (value) => Math.round(value * scale));
}

function squared(vector: Int8Array): number {
  let sum = 0;
  for (let index = 0; index < vector.length; index += 1) {
    const value = vector[index] ?? 0;
    sum += value * value;
  }
  return sum;
}

/** Cosine to one vector, for whoever compares it with many: see `cosine`. */
export function cosineTo(a: Int8Array): (b: Int8Array) => number {
  const ofA = squared(a);
  return (b) => {
    if (a.length !== b.length || ofA === 0) return 0;
    let [dot, ofB] = [0, 0];
    for (let index = 0; index < b.length; index += 1) {
      const value = b[index] ?? 0;
      dot += value * (a[index] ?? 0);
      ofB += value * value;
    }
    return ofB === 0 ? 0 : dot / Math.sqrt(ofA * ofB);
  };
}

/** Cosine of the angle between two vectors, in [-1, 1]; 0 where they are not of one length, or one is zero. */
export function cosine(a: Int8Array, b: Int8Array): number {
  return cosineTo(a)(b);
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
