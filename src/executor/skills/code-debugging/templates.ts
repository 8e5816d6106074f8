/** What differs between two events of one kind: ids, numbers, quoted texts, addresses. Each pattern is linear. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/\b[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\b/gi, "<uuid>"],
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/g, "<time>"],
  [/\b(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?\b/g, "<address>"],
  [/\b0x[\da-f]+\b/gi, "<hex>"],
  [/"[^"\n]{0,200}"|'[^'\n]{0,200}'/g, "<text>"],
  [/\b(?=[\da-f]*\d)[\da-f]{12,64}\b/gi, "<hex>"],
  [/\d+/g, "<n>"],
];

/** A message without what differs from one occurrence to the next. */
export function templateOf(message: string): string {
  return VARIABLE.reduce(
    (text, [pattern, word]) => text.replaceAll(pattern, word),
    message.slice(0, 500),
  );
}

/** Eight hexadecimal digits (FNV-1a) that are the same for events of one kind. */
export function fingerprintOf(parts: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const each of parts.map(templateOf).join("\u0000")) {
    hash = Math.imul(hash ^ (each.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}
