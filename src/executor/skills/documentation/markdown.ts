/*
 * Text of strangers made safe for Markdown: it can neither begin HTML, nor a heading, nor leave its table cell or
 * its code. Descriptions keep their own emphasis, lists, code and links, because OpenAPI and JSDoc write Markdown.
 */

/** A sentence or label that is no Markdown: shown as it is written. */
export function plain(text: string): string {
  return line(text)
    .replaceAll(/[\\`*_[\]~#!]/g, "\\$&")
    .replaceAll(/[&<>|]/g, entity);
}

/** A name or value as code, on one line. In a table `|` would end the cell, so such code is written as an element. */
export function code(text: string, place: "text" | "cell" = "text"): string {
  const one = line(text);
  if (one.trim() === "") return "` `";
  if (place === "cell" && one.includes("|")) {
    return `<code>${one.replaceAll(/[^\p{L}\p{N} .,:;=()?/'"-]/gu, entity)}</code>`;
  }
  const fence = fenceFor(one, 1);
  const pad = fence.length > 1 || /^`|`$/.test(one) ? " " : "";
  return `${fence}${pad}${one}${pad}${fence}`;
}

/** A block of code. */
export function codeBlock(text: string, language: string): string {
  const fence = fenceFor(text, 3);
  return `${fence}${language}\n${clean(text).replaceAll(/\r\n?/g, "\n")}\n${fence}`;
}

/** A description as paragraphs: its Markdown is kept, but for headings, HTML, images and links to other schemes. */
export function prose(text: string): string {
  const lines: string[] = [];
  let fence = "";
  for (const raw of clean(text)
    .trim()
    .split(/\r\n?|\n/)) {
    const [, mark = ""] = /^\s*(`{3,}|~{3,})/.exec(raw) ?? [];
    if (fence === "" && mark !== "") {
      fence = mark;
      lines.push(
        `${mark}${raw
          .trim()
          .slice(mark.length)
          .replaceAll(/[^\w-]/g, "")}`,
      );
    } else if (fence !== "") {
      const isEnd = raw.trim().startsWith(fence) && /^[`~]+$/.test(raw.trim());
      lines.push(isEnd ? fence : raw);
      if (isEnd) fence = "";
    } else {
      lines.push(proseLine(raw));
    }
  }
  if (fence !== "") lines.push(fence);
  return lines.join("\n");
}

/** A description on one line, for a list item or (`|` escaped) a table cell. */
export function inlineProse(text: string): string {
  return inline(line(text).replaceAll(/`{2,}/g, "`")).replaceAll("|", "&#124;");
}

/** A table; cells must be safe already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n");
}

/** The anchor that GitHub makes of a heading, before it numbers repeated ones. */
export function slugOf(title: string): string {
  return line(title)
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "")
    .replaceAll(" ", "-");
}

/** One line without control characters or broken surrogates. */
export function line(text: string): string {
  return clean(text).replaceAll(/\s+/g, " ").trim();
}

/** Control characters and those that turn the direction of what follows are no text. */
function clean(text: string): string {
  return text.toWellFormed().replaceAll(/[^\P{Cc}\t\n\r]|[\u202a-\u202e\u2066-\u2069]/gu, "");
}

function proseLine(raw: string): string {
  // Deep indentation would make it code; list items may keep theirs.
  const text = /^\s*(?:[-*+]|\d+[.)])\s/.test(raw) ? raw.trimEnd() : raw.trim();
  const isSetext = /^(?:=+|-+|(?:[-*_]\s*){3,})$/.test(text);
  const isBlock = /^(?:#|\||\[[^\]]*\]:)/.test(text);
  return isSetext || isBlock ? `\\${inline(text)}` : inline(text);
}

/** Code spans stay as they are; outside of them nothing may open HTML, an image, or a link to another scheme. */
function inline(text: string): string {
  return text.replaceAll(
    /\\[\s\S]|(`+)(?!`)(.*?[^`])\1(?!`)|`+|<|!\[|\]\((?!(?:https?:\/\/|mailto:|#|\.{0,2}\/)[^\s)]*\))|&(?=#|\w)/g,
    (match, ticks: string | undefined) => {
      if (ticks !== undefined) return match;
      if (match.startsWith("\\")) return match === "\\<" ? "&lt;" : match;
      if (match.startsWith("`")) return match.replaceAll("`", "\\`");
      if (match === "![") return "!\\[";
      if (match.startsWith("]")) return "]\\(";
      return entity(match);
    },
  );
}

function fenceFor(text: string, least: number): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  return "`".repeat(Math.max(least, longest + 1));
}

function entity(character: string): string {
  if (character === "&") return "&amp;";
  if (character === "<") return "&lt;";
  if (character === ">") return "&gt;";
  return `&#${character.codePointAt(0)};`;
}
