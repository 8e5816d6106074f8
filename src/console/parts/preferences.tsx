import { language, nextTheme, theme } from "../lib/preferences.ts";
import { shellWords } from "../words/shell.ts";
import { useStore } from "./use-store.ts";
import { useWords } from "./use-words.ts";

const MARKS = { auto: "◐", light: "☀", dark: "☾" } as const;

/** Switches of language and colours. */
export function Preferences() {
  const say = useWords(shellWords);
  const colours = useStore(theme);
  const spoken = useStore(language);
  const themes = { auto: say("themeAuto"), light: say("themeLight"), dark: say("themeDark") };
  const words = `${say("theme")}: ${themes[colours]}`;
  const other = spoken === "en" ? "es" : "en";
  return (
    <span class="preferences">
      <button
        type="button"
        class="button ghost"
        title={words}
        aria-label={words}
        onClick={() => theme.set(nextTheme(colours))}
      >
        <span aria-hidden="true">{MARKS[colours]}</span>
      </button>
      <button
        type="button"
        class="button ghost"
        lang={other}
        onClick={() => language.set(other)}
        aria-label={other === "es" ? "ES: cambiar a español" : "EN: switch to English"}
      >
        {other.toUpperCase()}
      </button>
    </span>
  );
}
