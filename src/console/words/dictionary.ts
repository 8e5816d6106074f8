import type { Lang } from "../lib/format.ts";

/** The words of one part of the console, in every language. `{name}` stands for what is put in. */
export type Dictionary<Key extends string> = Record<Lang, Record<Key, string>>;

/** Both languages of a part; a key that one of them lacks does not compile. */
export function dictionary<Key extends string>(
  en: Record<Key, string>,
  es: Record<NoInfer<Key>, string>,
): Dictionary<Key> {
  return { en, es };
}

/** Puts values into the places of a text. A place without a value stays as it is. */
export function fill(template: string, values: Record<string, string | number> = {}): string {
  return template.replaceAll(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}
