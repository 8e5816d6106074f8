/**
 * Characters of JSON that one value may take where it is kept for good.
 *
 * A value can be as large as a body, 1 MiB (protocol.md §7), and a row of D1 holds 2 MB (facts/platform.md §4).
 */
const LONGEST_VALUE = 4_096;

const MASK = "[redacted]";

/** What keys, signing secrets and bearer credentials look like. */
const SECRET_VALUE = /\b(?:whsec_|bk_|pt_|eyJ|Bearer\s+)[A-Za-z0-9+/=_.-]{8,}/g;

/** Keys of others, by the beginnings that their issuers give them so that scanners find them. */
const ISSUED_KEY =
  /\b(?:sk-|[rs]k_(?:live|test)_|gh[oprsu]_|github_pat_|glpat-|xox[abeprs]-|A[KS]IA|AIza|hf_|npm_|SG\.)[A-Za-z0-9_.-]{16,}/g;

/** A key in PEM, also one whose end was cut off. */
const PEM_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,40}-----|$)/g;

/** A text in which everything is replaced that looks like a key or a secret. */
export function withoutSecrets(text: string): string {
  return [SECRET_VALUE, ISSUED_KEY, PEM_KEY].reduce(
    (rest, pattern) => rest.replace(pattern, MASK),
    text,
  );
}

const VALUE = `("[^"]*"|'[^']*'|[^\\s,;&"']+)`;

/** A value behind a name that says it is secret: `DB_PASSWORD=…`, `"apiKey": "…"`. */
const NAMED = new RegExp(
  "((?:passw(?:or)?d|passphrase|pwd|secret|contrase[nñ]a|credentials?|(?:api|access|private|account)[ _-]?key)" +
    `["']?\\s*[:=]\\s*)${VALUE}`,
  "giu",
);

/** The same of names that say other things too (`unexpected token: else`): a secret among these has a digit. */
const PERHAPS_NAMED = new RegExp(
  `((?:token|key|sig|signature|auth(?:orization)?)["']?\\s*[:=]\\s*)(?=\\S{0,200}\\d)${VALUE}`,
  "giu",
);

/** A secret as people tell it: "the password is hunter2". */
const SAID =
  /\b((?:password|passphrase|secret|token|key|pin|contraseña|clave)\s+(?:is|was|es|era)\s+)(?=\S{0,100}\d)(\S{4,})/giu;

/** Name and password in an address. */
const LOGIN = /(:\/\/)[^\s/@]{1,300}@/g;

const LONG_WORD = /[A-Za-z0-9_+=]{24,}/g;

/** Capitals, small letters and at least three digits: no word that somebody chose. */
function isDrawn(word: string): boolean {
  return /[A-Z]/.test(word) && /[a-z]/.test(word) && word.replaceAll(/\D/g, "").length >= 3;
}

/**
 * The same for what is kept long after the work, and read by others: without what stands behind the name of a secret,
 * logins in addresses, and long words that look drawn by lot. It loses a harmless word sooner than it keeps a secret;
 * one that looks like any other word stays.
 */
export function withoutCredentials(text: string): string {
  return [NAMED, PERHAPS_NAMED, SAID]
    .reduce((rest, pattern) => rest.replace(pattern, `$1${MASK}`), withoutSecrets(text))
    .replace(LOGIN, `$1${MASK}@`)
    .replace(LONG_WORD, (word) => (isDrawn(word) ? MASK : word));
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
