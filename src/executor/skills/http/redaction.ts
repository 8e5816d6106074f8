import * as z from "zod";

import { briefUrl, withoutSecrets } from "../../../lib/redact.ts";
import { isList } from "../formats/json-value.ts";
import type { JsonValue } from "../skill.ts";

/** Headers that hold no credential. Anything else may. */
const OPEN: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "content-type",
  "idempotency-key",
  "if-modified-since",
  "if-none-match",
  "origin",
  "range",
  "referer",
  "user-agent",
]);

/** No credential is shorter; what is would blot out ordinary words. Characters. */
const SHORTEST = 6;

/** Where a request says who sends it, when it is not in a header. */
const SECRET_NAME =
  /secret|token|passw|passphrase|pwd|key|auth|signature|credential|(?:^|[_.-])pass$|[a-z]Pass$/i;
/** The same in a body that is sent as a form: `password=abc&page=2`. */
const FORM = /^[^=&\s]+=[^&\s]*(?:&[^=&\s]+=[^&\s]*)*$/;

/** Takes out of what is told whatever the requests of a run may have carried as a credential. */
export class Redaction {
  readonly #words = new Set<string>();

  /** Notes what a request carries: its headers, and what is secret by its name in the query of its address and in its body. */
  learn(request: { url: string; headers?: Readonly<Record<string, string>>; body?: string }): void {
    for (const [name, value] of Object.entries(request.headers ?? {})) {
      if (!OPEN.has(name.toLowerCase())) this.#note(value);
    }
    this.#learnBody(request.body ?? "");
    if (!URL.canParse(request.url)) return;
    this.#learnFields(new URL(request.url).searchParams);
  }

  #learnFields(fields: Iterable<[string, string]>): void {
    for (const [name, value] of fields) if (SECRET_NAME.test(name)) this.#note(value);
  }

  #learnBody(body: string): void {
    if (FORM.test(body)) this.#learnFields(new URLSearchParams(body));
    if (!/^\s*[[{]/.test(body)) return;
    try {
      this.#learnValue(z.json().parse(JSON.parse(body)), false);
    } catch {
      // A text that only looks like JSON has no names to go by.
    }
  }

  /** @param isSecret whether a name on the way says so */
  #learnValue(value: JsonValue, isSecret: boolean): void {
    if (typeof value === "string" || typeof value === "number") {
      if (isSecret) this.#note(String(value));
    } else if (isList(value)) for (const item of value) this.#learnValue(item, isSecret);
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        this.#learnValue(inner, isSecret || SECRET_NAME.test(name));
      }
    }
  }

  /** Notes the address of a hook, whose path is its password. */
  learnHook(url: string): void {
    if (!URL.canParse(url)) return;
    const { href, pathname, search } = new URL(url);
    for (const part of [url, href, `${pathname}${search}`, pathname]) this.#note(part);
  }

  /** Notes variables whose name says that they are secret. */
  learnVariables(variables: Readonly<Record<string, JsonValue>>): void {
    for (const [name, value] of Object.entries(variables)) {
      this.#learnValue(value, SECRET_NAME.test(name));
    }
  }

  #note(value: string): void {
    // Of `Bearer abc` the word `abc` is a credential wherever it stands, also as JSON writes it.
    for (const word of [value, ...value.split(/\s+/)]) {
      if (word.length < SHORTEST) continue;
      this.#words.add(word);
      this.#words.add(JSON.stringify(word).slice(1, -1));
      this.#words.add(encodeURIComponent(word.toWellFormed()));
    }
  }

  /** A text without them, and without whatever looks like a key. */
  text(text: string): string {
    // The longest first: what is left of one of which a part is gone would be shown.
    const words = [...this.#words].toSorted((one, other) => other.length - one.length);
    return withoutSecrets(words.reduce((rest, word) => rest.replaceAll(word, "[redacted]"), text));
  }

  /** A value whose texts are clean. */
  json<Value extends JsonValue>(value: Value): Value;
  json(value: JsonValue): JsonValue {
    if (typeof value === "string") return this.text(value);
    if (value === null || typeof value !== "object") return value;
    if (isList(value)) return value.map((item) => this.json(item));
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, this.json(inner)]),
    );
  }
}

/** An address as it may be shown: without its query and fragment, which may hold a key. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url.split(/[?#]/)[0]?.slice(0, 200) ?? "";
  const { origin, pathname, search, protocol } = new URL(url);
  const base = origin === "null" ? protocol : origin;
  return `${base}${pathname}${search === "" ? "" : "?…"}`.slice(0, 300);
}

/** A hook's address as it may be shown: its path is its password. */
export function shownHook(url: string): string {
  return briefUrl(url);
}
