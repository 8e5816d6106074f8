/* Answers of the API as the console reads them: what is missing or odd becomes empty, so that no answer breaks a page. */

/** Reads any JSON as a `T`; never throws. */
export type Shape<T> = (value: unknown) => T;

/** What a shape reads. */
export type Read<S> = S extends Shape<infer T> ? T : never;

/** Whether a value is an object with named fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Text; numbers and truth values as they are written; everything else is empty. */
export const text: Shape<string> = (value) =>
  typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : "";

/** A finite number; 0 where there is none. */
export const number: Shape<number> = (value) =>
  typeof value === "number" && Number.isFinite(value) ? value : 0;

/** True only where it says so. */
export const flag: Shape<boolean> = (value) => value === true;

/** Whatever it is, to be shown as JSON. */
export const json: Shape<unknown> = (value) => value;

/** null where nothing is said, or where it is no such thing. */
export function maybe<T>(shape: Shape<T>): Shape<T | null> {
  return (value) => (value === null || value === undefined ? null : shape(value));
}

/** A list; empty where there is none. */
export function list<T>(shape: Shape<T>): Shape<T[]> {
  return (value) => (Array.isArray(value) ? value.map((item) => shape(item)) : []);
}

/** A table by name; empty where there is none. */
export function table<T>(shape: Shape<T>): Shape<Record<string, T>> {
  return (value) =>
    Object.fromEntries(
      Object.entries(isRecord(value) ? value : {}).map(([name, one]) => [name, shape(one)]),
    );
}

/** An object with these fields; what else is in it is left out. */
export function object<F extends Record<string, Shape<unknown>>>(
  fields: F,
): Shape<{ [Name in keyof F]: Read<F[Name]> }> {
  return (value) => {
    const source = isRecord(value) ? value : {};
    const read = Object.entries(fields).map(([name, shape]) => [name, shape(source[name])]);
    // Each field went through its own shape; fromEntries alone forgets which.
    return Object.fromEntries(read) as { [Name in keyof F]: Read<F[Name]> };
  };
}

/** A page of a list, as every list of the API answers. */
export function pageOf<T>(item: Shape<T>) {
  return object({ items: list(item), next_cursor: maybe(text) });
}
