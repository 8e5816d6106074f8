import { withoutSecrets } from "../../../lib/redact.ts";
import { escapePointer, isList, isObject } from "../formats/json-value.ts";
import type { JsonValue } from "../skill.ts";

/** Names whose values are shown to nobody: passwords, tokens, keys, credentials. */
const SECRET_NAME =
  /passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential|authorization|cookie/i;
/** Words that say so as the last of a value's own name alone (DB_PASS): compass and author hold no secret. */
const SECRET_ENDING = /(?:^|[_.-])(?:dsn|salt|pass|auth)$|[a-z\d](?:Pass|Auth)$/;
/** Keys that are secret: one of a table, a translation or a row is none. */
const SECRET_KEY =
  /(?:^|[_.-]|(?<=[a-z\d]))(?:api|access|account|auth|cipher|client|crypt|decryption|deploy|encryption|hmac|jwt|license|master|private|secret|server|service|session|shared|signing|ssh|ssl|storage|subscription|tls|webhook)[_.-]?key$/i;
/** A number is a secret more rarely: `max_tokens` is none. */
const SECRET_NUMBER = /(?:passw(?:or)?d|pwd|secret|pin|(?:^|[_.-])pass)$/i;
const LOGIN = /(:\/\/[^\s:/@]{1,100}:)[^\s/@]{1,200}@/g;
const MASK = "***";

function isSecretName(name: string): boolean {
  // Of names in capitals the words are told apart by signs alone.
  const cased = /[a-z]/.test(name) ? name : name.toLowerCase();
  return SECRET_ENDING.test(cased) || SECRET_KEY.test(cased);
}

/** Whether the value at a pointer is a secret, by its own name or one that leads to it. */
export function isSecret(pointer: string, value: JsonValue | undefined): boolean {
  const names = pointer.split("/");
  // An item of a list goes by the name of the list.
  const own = names.findLast((name) => !/^\d+$/.test(name)) ?? "";
  if (typeof value === "string") {
    return value !== "" && (names.some((name) => SECRET_NAME.test(name)) || isSecretName(own));
  }
  return typeof value === "number" && SECRET_NUMBER.test(own);
}

/** A value as a report may show it: secrets as "***", also the password in an address. */
export function masked(value: JsonValue, pointer: string): JsonValue {
  if (isSecret(pointer, value)) return MASK;
  if (typeof value === "string") return withoutSecrets(value).replaceAll(LOGIN, `$1${MASK}@`);
  if (isList(value)) return value.map((item, at) => masked(item, `${pointer}/${at}`));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      masked(inner, `${pointer}/${escapePointer(name)}`),
    ]),
  );
}
