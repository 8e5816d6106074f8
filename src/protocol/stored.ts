import type { z } from "zod";

function lower(value: unknown, [key, ...rest]: readonly PropertyKey[], most: number): void {
  if (value === null || typeof value !== "object" || key === undefined) return;
  if (rest.length === 0) Reflect.set(value, key, most);
  else lower(Reflect.get(value, key), rest, most);
}

/**
 * What was stored under a schema, read back: a number beyond a bound that the contract was given later is brought
 * down to it, so that what was accepted once can always be read.
 *
 * @param value JSON that nobody else holds; it may be changed
 * @throws ZodError when anything else is wrong
 */
export function parseStored<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const isNumber = issue.code === "too_big" && ["number", "int"].includes(issue.origin);
    if (!isNumber) throw parsed.error;
    lower(value, issue.path, Number(issue.maximum));
  }
  return schema.parse(value);
}
