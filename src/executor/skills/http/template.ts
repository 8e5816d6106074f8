import { isList } from "../formats/json-value.ts";
import type { JsonValue } from "../skill.ts";

/** Values by name; what came with an answer of a server is marked, because nobody who asked has seen it. */
export interface Variables {
  readonly given: Readonly<Record<string, JsonValue>>;
  readonly saved: Readonly<Record<string, JsonValue>>;
}

const PLACE = /\{\{\s*([A-Za-z0-9_.-]{1,100})\s*\}\}/g;
const WHOLE = /^\{\{\s*([A-Za-z0-9_.-]{1,100})\s*\}\}$/;

/** The names of variables. */
export const VARIABLE_NAME = /^[A-Za-z0-9_.-]{1,100}$/;

/** The variables that stand in a form (JSON but for what is left out), in its texts and names of fields, each once. */
export function variablesIn(form: object): string[] {
  const found = JSON.stringify(form).matchAll(PLACE);
  return [...new Set([...found].map(([, name = ""]) => name))];
}

/** Those of them that have no value. */
export function missingIn(form: object, { given, saved }: Variables): string[] {
  return variablesIn(form).filter(
    (name) => !Object.hasOwn(given, name) && !Object.hasOwn(saved, name),
  );
}

function valueOf(name: string, { given, saved }: Variables): JsonValue | undefined {
  if (Object.hasOwn(saved, name)) return saved[name];
  return Object.hasOwn(given, name) ? given[name] : undefined;
}

function asText(value: JsonValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A text with its variables in place; one that is not known stays as it is written. */
export function filled(text: string, variables: Variables): string {
  return text.replaceAll(PLACE, (place, name: string) => {
    const value = valueOf(name, variables);
    return value === undefined ? place : asText(value);
  });
}

/**
 * An address with its variables in place.
 *
 * What an answer brought is percent-encoded, so that it stays within its part of the path or query.
 */
export function filledUrl(url: string, variables: Variables): string {
  return url.replaceAll(PLACE, (place, name: string) => {
    const value = valueOf(name, variables);
    if (value === undefined) return place;
    const text = asText(value).toWellFormed();
    return Object.hasOwn(variables.saved, name) ? encodeURIComponent(text) : text;
  });
}

/** An address up to the end of its host and port. */
const ORIGIN = /^[a-z][a-z\d+.-]*:\/\/[^/?#\\]+[/?#\\]/i;

/**
 * The variables of an address that came with an answer and stand in its scheme, host or port, where a server would
 * choose to whom our headers go.
 */
export function steeringIn(url: string, variables: Variables): string[] {
  let before = "";
  let from = 0;
  const steering: string[] = [];
  for (const { index, 0: place, 1: name = "" } of url.matchAll(PLACE)) {
    before += url.slice(from, index);
    from = index + place.length;
    if (ORIGIN.test(before)) break;
    if (Object.hasOwn(variables.saved, name)) steering.push(name);
    before += filledUrl(place, variables);
  }
  return steering;
}

/** A JSON value with its variables in place: a text that is nothing but one variable becomes its value, of any type. */
export function filledJson(value: JsonValue, variables: Variables): JsonValue {
  if (typeof value === "string") {
    const name = WHOLE.exec(value)?.[1];
    const whole = name === undefined ? undefined : valueOf(name, variables);
    return whole ?? filled(value, variables);
  }
  if (value === null || typeof value !== "object") return value;
  if (isList(value)) return value.map((item) => filledJson(item, variables));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, filledJson(inner, variables)]),
  );
}
