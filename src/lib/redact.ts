/**
 * Characters of JSON that one value may take where it is kept for good.
 *
 * A value can be as large as a body, 1 MiB (protocol.md §7), and a row of D1 holds 2 MB (facts/platform.md §4).
 */
const LONGEST_VALUE = 4_096;

const MASK = "[redacted]";

/** What keys, signing secrets and bearer credentials look like. */
const SECRET_VALUE = /\b(?:whsec_|bk_|pt_|eyJ|Bearer\s+)[A-Za-z0-9+/=_.-]{8,}/g;

/** What only a drawn text has: words that people chose begin like keys, too (`sk-learn-…`). */
const DRAWN = "(?=[A-Za-z0-9_-]{0,200}\\d)(?=[A-Za-z0-9_-]{0,200}[A-Z])";

/** Keys of others, by the beginnings and lengths that their issuers give them so that scanners find them. */
const ISSUED_KEY = new RegExp(
  [
    `\\bsk-${DRAWN}[A-Za-z0-9_-]{16,}`,
    "\\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    "\\b(?:gh[oprsu]|github_pat)_[A-Za-z0-9_]{16,}",
    "\\bglpat-[A-Za-z0-9_-]{16,}",
    "\\bxox[abeprs]-[A-Za-z0-9-]{16,}",
    "\\bA[KS]IA[A-Z0-9]{12,}",
    "\\bAIza[A-Za-z0-9_-]{30,}",
    "\\bhf_[A-Za-z0-9]{30,}",
    "\\bnpm_[A-Za-z0-9]{36}",
    "\\bSG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}",
    // Of those that alerts go by: Resend, Twilio and Slack, whose address is its password.
    `\\bre_${DRAWN}[A-Za-z0-9]{6,}_[A-Za-z0-9]{16,}`,
    "\\bSK[0-9a-f]{32}\\b",
    "\\bhooks\\.slack(?:-gov)?\\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{8,}",
    // A bare one looks like a trace id; PagerDuty's has this name, and Twilio's goes in such a header.
    `\\b(?:routing|integration)_key["']?\\s*[:=]\\s*["']?[A-Za-z0-9]{32}\\b`,
    "\\bBasic\\s+(?=[A-Za-z+/]{0,200}\\d)(?=[a-z\\d+/]{0,200}[A-Z])[A-Za-z0-9+/]{16,}={0,2}",
  ].join("|"),
  "g",
);

/** A key in PEM, also one whose end was cut off. */
const PEM_KEY = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,40}-----|$)/g;

/** A text in which everything is replaced that looks like a key or a secret. */
export function withoutSecrets(text: string): string {
  return [SECRET_VALUE, ISSUED_KEY, PEM_KEY].reduce(
    (rest, pattern) => rest.replace(pattern, MASK),
    text,
  );
}

const VALUE = `("(?:[^"\\\\]|\\\\.)*"|'(?:[^'\\\\]|\\\\.)*'|[^\\s,;&"']+)`;

const ASSIGNED = `["']?\\s*[:=]\\s*`;

/** What is said about a secret, and is none: `password: must have 8 characters`. */
const ABOUT =
  "(?!(?:must|should|needs?|is|was|see|true|false|none|null|missing|required|optional)\\b)";

/** A value behind a name that says it is secret: `DB_PASSWORD=…`, `"apiKey": "…"`. */
const NAMED = new RegExp(
  "((?:passw(?:or)?d|passphrase|pwd|secret|contrase[nñ]a|credentials?|(?:api|access|private|account|secret)[ _-]?key)" +
    `${ASSIGNED})${ABOUT}${VALUE}`,
  "giu",
);

/**
 * The same of names that say other things too (`unexpected token: else`, `primary key: id`): a secret among these has
 * six signs, letters and digits.
 */
const PERHAPS_NAMED = new RegExp(
  "((?<![\\p{L}\\p{N}])(?:(?:access|auth|bearer|csrf|refresh|session)?token|(?<!(?:foreign|primary|sort|unique)[ _])key|sig|signature|auth|pass)" +
    `${ASSIGNED})(?=["']?[^\\s,;&]{0,200}\\p{L})(?=["']?[^\\s,;&]{0,200}\\d)(?=["']?[^\\s,;&"']{6})${VALUE}`,
  "giu",
);

/** A header, whose scheme stands before its value. */
const AUTHORIZED = /(\bauthorization["']?\s*[:=]\s*["']?)(?:[A-Za-z-]{1,20}\s+)?[^\s,;"']{6,}/giu;

/** A secret as people tell it: "the password is hunter2". */
const SAID =
  /\b((?:password|passphrase|secret|token|key|contraseña|clave)\s+(?:is|was|es|era)\s+)(?=\S{0,100}\d)(?=\S{0,100}\p{L})(\S{6,})/giu;

const SAID_PIN = /\b(pin\s+(?:is|was|es|era)\s+)(\d{4,12})\b/giu;

/** Name and password in an address, or a long name alone, which is a token then. */
const LOGIN = /(:\/\/)(?:[^\s/@:]{0,100}:[^\s/@]{1,300}|[^\s/@:]{16,300})@/g;

const LONG_WORD = /[A-Za-z0-9_+=]{24,}/g;

/** Words and numbers of a name that somebody chose, such as `getUserById123`: their mean length is above this. */
const SHORTEST_PARTS = 2.5;

/** Capitals, small letters and at least three digits, in no order: no name that somebody chose. */
function isDrawn(word: string): boolean {
  const parts = word.match(/[A-Z]?[a-z]+|[A-Z]+|\d+/g) ?? [];
  const digits = word.replaceAll(/\D/g, "").length;
  const isMixed = /[A-Z]/.test(word) && /[a-z]/.test(word) && digits >= 3;
  return isMixed && word.length / parts.length < SHORTEST_PARTS;
}

/**
 * The same for what is kept long after the work, and read by others: without what stands behind the name of a secret,
 * logins in addresses, and long words that look drawn by lot. It loses a harmless word sooner than it keeps a secret;
 * one that looks like any other word stays.
 */
export function withoutCredentials(text: string): string {
  return [AUTHORIZED, NAMED, PERHAPS_NAMED, SAID, SAID_PIN]
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
