import type { Language } from "./language.ts";

/** Writes figures as a reader of one language expects them. */
export interface Figures {
  /** Three significant digits, or a whole number when it is at least 1,000 or whole. */
  number: (value: number) => string;
  /** A share in [0, 1] as a percentage; shares that would round away read "under 1 %". */
  share: (value: number) => string;
  /** Two decimals, for correlations. */
  coefficient: (value: number) => string;
  /** A date, with the time of day only where `withTime`. ISO order, UTC. */
  instant: (epoch_ms: number, withTime: boolean) => string;
  /** The names joined with "and"; more than five are cut and counted. */
  list: (names: readonly string[]) => string;
}

const WORDS = {
  en: { under: "under 1%", more: (count: number) => `${count} more` },
  es: { under: "menos del 1 %", more: (count: number) => `${count} más` },
} as const;

const LISTED_NAMES = 5;

/** Figures for one language; formatters are built once, because building them is what costs. */
export function figuresFor(language: Language): Figures {
  const short = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
  const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
  const scientific = new Intl.NumberFormat(language, {
    maximumSignificantDigits: 3,
    notation: "scientific",
  });
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
  const fixed = new Intl.NumberFormat(language, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const conjunction = new Intl.ListFormat(language, { type: "conjunction" });
  const number = (value: number): string => {
    const size = Math.abs(value);
    if (size >= 1e15 || (size > 0 && size < 1e-4)) return scientific.format(value);
    return size >= 1000 || Number.isInteger(value) ? whole.format(value) : short.format(value);
  };
  return {
    number,
    share: (value) =>
      value > 0 && value < 0.01 ? WORDS[language].under : percent.format(floorShort(value)),
    coefficient: (value) => fixed.format(value),
    instant: (epoch_ms, withTime) =>
      new Date(epoch_ms)
        .toISOString()
        .slice(0, withTime ? 16 : 10)
        .replace("T", " "),
    list: (names) =>
      conjunction.format(
        names.length <= LISTED_NAMES
          ? names
          : [
              ...names.slice(0, LISTED_NAMES - 1),
              WORDS[language].more(names.length - LISTED_NAMES + 1),
            ],
      ),
  };
}

// 99.6 % must not read as 100 %: "all" would be a false claim.
function floorShort(share: number): number {
  return share > 0.99 && share < 1 ? 0.99 : share;
}
