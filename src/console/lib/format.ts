/* Numbers and times as people read them. Pure: language and `now` are given. */

/** The languages of the console. */
export type Lang = "en" | "es";

/** Seconds of the units in which a distance in time is said, the largest first. */
const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
] as const;

/** A count, with separators of its language; from 100,000 on shortened. */
export function count(value: number, lang: Lang): string {
  const options: Intl.NumberFormatOptions =
    Math.abs(value) >= 100_000
      ? { notation: "compact", maximumFractionDigits: 1 }
      : { maximumFractionDigits: Number.isInteger(value) ? 0 : 2 };
  return new Intl.NumberFormat(lang, options).format(value);
}

/** Dollars: small amounts keep the digits that tell them from nothing. */
export function money(usd: number, lang: Lang): string {
  const digits = usd !== 0 && Math.abs(usd) < 0.1 ? 4 : 2;
  return new Intl.NumberFormat(lang, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(usd);
}

/** Dollars where there is little room: two digits that count. */
export function shortMoney(usd: number, lang: Lang): string {
  return new Intl.NumberFormat(lang, {
    style: "currency",
    currency: "USD",
    currencyDisplay: "narrowSymbol",
    notation: "compact",
    minimumFractionDigits: 0,
    maximumSignificantDigits: 2,
  }).format(usd);
}

/** A share of 1 in per cent. Never 100 % where something is missing, nor 0 % where something is there. */
export function percent(share: number, lang: Lang): string {
  const isAlmost = (share > 0.999 && share < 1) || (share > 0 && share < 0.001);
  const digits = isAlmost ? 3 : 1;
  return new Intl.NumberFormat(lang, {
    style: "percent",
    maximumFractionDigits: digits,
    roundingMode: "floor",
  } as Intl.NumberFormatOptions).format(share);
}

/** How long something took, from milliseconds: two units at most. */
export function duration(ms: number, lang: Lang): string {
  if (ms < 0) return `-${duration(-ms, lang)}`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${tenths(ms / 1_000, lang)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return pair(seconds, 60, ["min", "s"]);
  if (seconds < 86_400) return pair(Math.round(seconds / 60), 60, ["h", "min"]);
  return pair(Math.round(seconds / 3_600), 24, ["d", "h"]);
}

function tenths(value: number, lang: Lang): string {
  return new Intl.NumberFormat(lang, { maximumFractionDigits: 1 }).format(value);
}

function pair(value: number, base: number, [large, small]: [string, string]): string {
  const rest = value % base;
  return `${Math.floor(value / base)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** How far away an instant is, as people say it: "3 minutes ago". Clocks that run ahead are no error. */
export function distance(at: number, now: number, lang: Lang): string {
  const seconds = Math.round((at - now) / 1_000);
  const words = new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" });
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return words.format(seconds, "second");
}

/** A date and time in full, to the second. */
export function fullTime(at: number, lang: Lang): string {
  return new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" }).format(at);
}

/** The time of day, to the second or with milliseconds. */
export function clockTime(at: number, lang: Lang, withMs = false): string {
  return new Intl.DateTimeFormat(lang, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    ...(withMs && { fractionalSecondDigits: 3 as const }),
  }).format(at);
}

/** Epoch milliseconds of an instant; null where it is none. */
export function instantOf(at: string | null): number | null {
  const parsed = at === null ? Number.NaN : Date.parse(at);
  return Number.isNaN(parsed) ? null : parsed;
}

/** JSON as people read it; what cannot be written is said to be so. */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? "";
}

/** An address that may be linked to: http and https only, so that no `javascript:` ever gets into a link. */
export function safeUrl(address: string): string | null {
  const url = URL.canParse(address) ? new URL(address) : null;
  return url !== null && ["http:", "https:"].includes(url.protocol) ? url.href : null;
}
