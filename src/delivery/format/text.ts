import type { AlertMessage } from "./message.ts";

/* Alerts as words. Their texts come from anybody: they are cut, and made harmless where a form gives signs a meaning. */

/** Pieces of evidence that a message shows; all of them are at the API. */
const MOST_FACTS = 20;

/** Characters that one piece of evidence may take. */
const LONGEST_FACT = 300;

/** What of the evidence is the message's own concern. */
const UNSHOWN: ReadonlySet<string> = new Set(["recipient", "change"]);

/** The first characters of a text, with a mark where something was cut off, `most` at most in all; no half character. */
export function cut(text: string, most: number, mark = "…"): string {
  if (text.length <= most) return text.toWellFormed();
  let kept = "";
  for (const character of text) {
    if (kept.length + character.length + mark.length > most) break;
    kept += character;
  }
  return `${kept.trimEnd()}${mark}`.toWellFormed();
}

/** A text without line breaks and other controls, such as a subject or a header: each run of them becomes a space. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").trim();
}

/** A text of several lines without other controls. */
export function lines(text: string): string {
  return text.replaceAll(/\r\n?|[\u2028\u2029]/g, "\n").replaceAll(/[^\P{Cc}\n\t]/gu, " ");
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** The three signs that Slack and HTML give a meaning, as entities. */
function entities(text: string): string {
  return text.replaceAll(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign);
}

/** The same for HTML's attributes too. */
export function html(text: string): string {
  return entities(text).replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

/** A text as entities, `most` characters at most in all: none of them is cut in two. */
export function cutEntities(text: string, most: number): string {
  const whole = entities(text);
  if (whole.length <= most) return whole.toWellFormed();
  let kept = "";
  for (const character of text) {
    const shown = entities(character);
    if (kept.length + shown.length + 1 > most) break;
    kept += shown;
  }
  return `${kept.trimEnd()}…`.toWellFormed();
}

/** What it is about, in one line: what happened, or how grave it is, and the title. */
export function headline({ alert, facts }: AlertMessage): string {
  const word = facts.change === "fired" ? alert.severity : facts.change;
  return `[${word.toUpperCase()}] ${oneLine(alert.title)}`;
}

/** The evidence, piece by piece; names and values in one line each. */
export function evidenceOf({ alert }: AlertMessage): [name: string, value: string][] {
  return Object.entries(alert.evidence)
    .filter(([name, value]) => !UNSHOWN.has(name) && value !== null)
    .slice(0, MOST_FACTS)
    .map(([name, value]) => [
      cut(oneLine(name), LONGEST_FACT),
      cut(oneLine(typeof value === "string" ? value : JSON.stringify(value)), LONGEST_FACT),
    ]);
}

/** The address of a provider's API below the base that a channel names; a base that has the path already stays. */
export function addressOf(base: string, path: string): string {
  const start = base.replace(/\/+$/, "");
  return start.endsWith(path) ? start : `${start}${path}`;
}
