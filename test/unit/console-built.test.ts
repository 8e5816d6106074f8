import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";

import { beforeAll, describe, expect, it } from "vitest";

const root = path.join(import.meta.dirname, "../..");
const assets = path.join(root, "assets");
const text = (name: string): string => readFileSync(path.join(assets, name), "utf8");

/** What somebody waits for before the first page stands there, gzip (issue: ≤ 100 KiB). */
const LARGEST_FIRST_VIEW_BYTES = 100 * 1024;

/** What a built module needs before it can run: its own imports, and theirs. */
function withImports(name: string, known = new Set<string>()): Set<string> {
  if (known.has(name)) return known;
  known.add(name);
  for (const [, from = ""] of text(name).matchAll(/(?:from|import)\s*"(\.[^"]+)"/g)) {
    withImports(path.join(path.dirname(name), from), known);
  }
  return known;
}

const chunkOf = (page: string): string =>
  readdirSync(path.join(assets, "console/chunks")).find((name) => name.startsWith(page)) ?? "";

describe("the built console", () => {
  beforeAll(() => {
    execFileSync(process.execPath, [path.join(root, "scripts/build-console.mjs")]);
  });

  it("has a first view of 100 KiB at most: page, style, sign-in and overview with its charts", () => {
    const first = new Set([
      "index.html",
      "favicon.svg",
      "console/console.css",
      "console/boot.js",
      ...["console/main.js", `console/chunks/${chunkOf("overview-page")}`].flatMap((name) => [
        ...withImports(name),
      ]),
      ...withImports(`console/chunks/${chunkOf("chart-")}`),
    ]);
    const bytes = [...first].map((name) => gzipSync(text(name)).byteLength);

    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(LARGEST_FIRST_VIEW_BYTES);
  });

  it("reads the code of a page when somebody goes there, and charts when there is one to draw", () => {
    const shell = [...withImports("console/main.js")];
    const overview = [...withImports(`console/chunks/${chunkOf("overview-page")}`)];

    expect(shell.filter((name) => /-page-|chart-/.test(name))).toEqual([]);
    // A class that only uPlot makes.
    expect(text(`console/chunks/${chunkOf("chart-")}`)).toContain("u-over");
    expect([...shell, ...overview].map(text).join("")).not.toContain("u-over");
  });

  it("has no script or style in its page, which its policy would not let run", () => {
    const page = text("index.html");

    expect(page.match(/<script(?![^>]*\ssrc=)/g)).toBeNull();
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/);
  });

  it("never puts text from outside into the page as markup", () => {
    const sources = readdirSync(path.join(root, "src/console"), { recursive: true })
      .map(String)
      .filter((name) => /\.tsx?$/.test(name))
      .map((name) => readFileSync(path.join(root, "src/console", name), "utf8"));

    expect(sources.length).toBeGreaterThan(20);
    expect(
      sources.filter((source) =>
        /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(/.test(
          source,
        ),
      ),
    ).toEqual([]);
  });
});
