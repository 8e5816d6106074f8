import type { JsonObject } from "../skill.ts";
import { line, plain, slugOf } from "./markdown.ts";

/** Writes a link to the section of a key, or the text alone when there is no such section. Text is safe Markdown. */
export type Link = (key: string, text: string) => string;

/** A part of the reference; its body is written when every anchor is known. */
export interface Section {
  /** 1 for the title of the page. */
  level: number;
  title: string;
  key: string | null;
  body: (link: Link) => readonly string[];
}

/** What was, or was not, described by its author. */
export interface Gap {
  where: string;
  what: string;
}

/** A result must fit a message of 1 MiB, with its table of contents. Characters. */
const LONGEST_PAGE = 600_000;
const MAX_GAPS = 200;
const MAX_LISTED = 500;

interface Entry {
  level: number;
  title: string;
  anchor: string;
}

/** A Markdown page in the making: its sections, and the account of what has a description. */
export class Page {
  readonly #sections: Section[] = [];
  readonly #gaps: Gap[] = [];
  #documented = 0;
  #undocumented = 0;
  #resolved = 0;
  readonly #unresolved = new Set<string>();

  add(section: Section): void {
    this.#sections.push(section);
  }

  /** Counts whether something is described; gives the description back, null for none. */
  account(where: string, what: string, description: unknown): string | null {
    if (typeof description === "string" && /[\p{L}\p{N}]/u.test(description)) {
      this.#documented += 1;
      return description;
    }
    this.#undocumented += 1;
    if (this.#gaps.length < MAX_GAPS) this.#gaps.push({ where: line(where).slice(0, 200), what });
    return null;
  }

  /** Counts a reference of the source that leads somewhere, or nowhere. */
  refer(reference: string, isFound: boolean): void {
    if (isFound) this.#resolved += 1;
    else this.#unresolved.add(line(reference).slice(0, 200));
  }

  get counts() {
    return {
      documented: this.#documented,
      undocumented: this.#undocumented,
      references: this.#resolved + this.#unresolved.size,
      unresolved: [...this.#unresolved].slice(0, 50),
      sections: this.#sections.length,
    };
  }

  /** What has no description: the first 200. */
  get missing(): JsonObject[] {
    return this.#gaps.map((gap) => ({ ...gap }));
  }

  /**
   * Writes the page. Sections that would make it longer than 600,000 characters are left out and counted.
   *
   * @param base level of the title's heading, from 1; deeper headings than 6 stay at 6
   * @param contents title of the table of contents, which comes after the first section when there are more than 3
   */
  render(base: number, contents: string): { markdown: string; toc: Entry[]; left_out: number } {
    const toc = this.#anchors(contents);
    const anchors = new Map(this.#sections.map(({ key }, at) => [key, toc[at]?.anchor]));
    const link: Link = (key, text) => {
      const anchor = anchors.get(key);
      return anchor === undefined ? text : `[${text}](#${anchor})`;
    };
    const heading = (level: number, title: string) =>
      `${"#".repeat(Math.min(6, base + level - 1))} ${plain(title)}`;
    const blocks: string[] = [];
    let length = 0;
    let written = 0;
    for (const [at, { level, body }] of this.#sections.entries()) {
      const added = [heading(level, toc[at]?.title ?? ""), ...body(link)].filter(
        (block) => block !== "",
      );
      if (at === 0 && this.#sections.length > 3) {
        const listed = toc.slice(1, MAX_LISTED).map((entry) => {
          const indent = "  ".repeat(Math.max(0, entry.level - 2));
          return `${indent}- [${plain(entry.title)}](#${entry.anchor})`;
        });
        added.push(heading(2, contents), listed.join("\n"));
      }
      length += added.reduce((sum, block) => sum + block.length + 2, 0);
      if (length > LONGEST_PAGE && at > 0) break;
      blocks.push(...added);
      written += 1;
    }
    return {
      markdown: `${blocks.join("\n\n")}\n`,
      toc: toc.slice(0, Math.min(written, 2 * MAX_LISTED)),
      left_out: this.#sections.length - written,
    };
  }

  /** As github-slugger numbers them, the heading of the contents included. */
  #anchors(contents: string): Entry[] {
    const uses = new Map<string, number>();
    const anchorOf = (slug: string) => {
      let anchor = slug;
      while (uses.has(anchor)) {
        const count = (uses.get(slug) ?? 0) + 1;
        uses.set(slug, count);
        anchor = `${slug}-${count}`;
      }
      uses.set(anchor, 0);
      return anchor;
    };
    return this.#sections.map(({ level, title }, at) => {
      if (at === 1 && this.#sections.length > 3) anchorOf(slugOf(contents));
      // A name of signs alone has no anchor of its own.
      const one = line(title).slice(0, 200);
      const shown = slugOf(one) === "" ? `${one} (${at + 1})`.trim() : one;
      return { level, title: shown, anchor: anchorOf(slugOf(shown)) };
    });
  }
}
