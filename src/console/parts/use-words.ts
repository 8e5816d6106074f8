import type { Lang } from "../lib/format.ts";
import { language } from "../lib/preferences.ts";
import { fill, type Dictionary } from "../words/dictionary.ts";
import { termWords } from "../words/terms.ts";
import { useStore } from "./use-store.ts";

/** Says a word of a dictionary in the page's language. */
export type Say<Key extends string> = (
  key: Key,
  values?: Record<string, string | number>,
) => string;

/** The language of the page. */
export function useLang(): Lang {
  return useStore(language);
}

/** The words of a dictionary, in the page's language. */
export function useWords<Key extends string>(words: Dictionary<Key>): Say<Key> {
  const lang = useLang();
  return (key, values) => fill(words[lang][key], values);
}

/** Says the contract's own words, such as a status. One that is not known is shown as it came. */
export function useTerms(): (term: string) => string {
  const known: Record<string, string> = termWords[useLang()];
  return (term) => (Object.hasOwn(known, term) ? (known[term] ?? term) : term.replaceAll("_", " "));
}
