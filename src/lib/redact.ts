/**
 * Characters of JSON that one value may take where it is kept for good.
 *
 * A value can be as large as a body, 1 MiB (protocol.md §7), and a row of D1 holds 2 MB (facts/platform.md §4).
 */
const LONGEST_VALUE = 4_096;

/** What keys, signing secrets and bearer credentials look like. */
const SECRET_VALUE = /\b(?:whsec_|bk_|pt_|eyJ|Bearer\s+)[A-Za-z0-9+/=_.-]{8,}/g;

/** A text in which everything is replaced that looks like a key or a secret. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRET_VALUE, "[redacted]");
}

/** A value whose own texts are clean, with clean names. */
function cleanOne(value: unknown): unknown {
  if (typeof value === "string") return withoutSecrets(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]: [string, unknown]) => [withoutSecrets(name), part]),
  );
}

/**
 * The same of every text and name in an object, whose values are JSON.
 *
 * Each by itself: in JSON text an escape such as `\b` or `\n` is a letter before what follows it.
 */
export function scrubbed(fields: Record<string, unknown>): Record<string, unknown> {
  const clean: Record<string, unknown> = JSON.parse(JSON.stringify(fields), (_name, value) =>
    cleanOne(value),
  );
  return clean;
}

/** A value, or how long it is when it is too long to be kept for good. */
export function brief(value: unknown): unknown {
  const { length } = JSON.stringify(value ?? null);
  return length > LONGEST_VALUE ? { omitted_characters: length } : value;
}

/** An address as far as it can't be a credential: path and query of many a receiver are its password. */
export function briefUrl(text: string): string {
  return URL.canParse(text) ? `${new URL(text).origin}/…` : "…";
}
