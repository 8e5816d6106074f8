import type { Lang } from "./format.ts";
import { createStore, type Store } from "./store.ts";

/** Colours: as the system has them, or as somebody chose. */
export type Theme = "auto" | "light" | "dark";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const LANGS: readonly Lang[] = ["en", "es"];

/** The one of the choices that a text names. */
function chosen<T extends string>(
  choices: readonly T[],
  said: string | null | undefined,
): T | null {
  return choices.find((choice) => choice === said) ?? null;
}

/** The first language that the browser asks for and the console speaks; English where it speaks none of them. */
function languageOf(asked: readonly string[]): Lang {
  for (const tag of asked) {
    const known = chosen(LANGS, tag.slice(0, 2).toLowerCase());
    if (known !== null) return known;
  }
  return "en";
}

function remembered(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    // Forbidden: choices then last as long as the page.
    return null;
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // As above.
  }
}

/** The language of the page. */
export const language: Store<Lang> = createStore(
  chosen(LANGS, remembered("batuta.lang")) ?? languageOf(navigator.languages),
);

/** The colours of the page. */
export const theme: Store<Theme> = createStore(
  chosen(THEMES, remembered("batuta.theme")) ?? "auto",
);

/** Makes the document look as chosen, now and after every change. */
export function applyPreferences(): void {
  const apply = (): void => {
    document.documentElement.lang = language.get();
    document.documentElement.dataset["theme"] = theme.get();
  };
  language.subscribe(() => (remember("batuta.lang", language.get()), apply()));
  theme.subscribe(() => (remember("batuta.theme", theme.get()), apply()));
  apply();
}

/** The next choice of colours, round and round. */
export function nextTheme(current: Theme): Theme {
  return THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? "auto";
}
