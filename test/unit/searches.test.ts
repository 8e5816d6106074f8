import { describe, expect, it } from "vitest";

import { Searches } from "../../src/lib/searches.ts";

const find = (pattern: string, text: string) => new Searches().search(pattern, text);
const filler = "x ".repeat(6_000);

describe("a search", () => {
  it.each([
    ["ok", "an ok", true],
    ["^ok$", "an ok", false],
    // Longer than is searched: found, and nothing behind the cut could undo it.
    [String.raw`\bok\b`, `status: ok, ${filler}`, true],
    [String.raw`price: \$5`, `price: $5 ${filler}`, true],
    ["[$]5", `price: $5 ${filler}`, true],
    ["ok(?=,)", `status: ok, ${filler}`, true],
    ["^status: ok(?!x)", `status: ok, ${filler}`, true],
    [String.raw`.*\bok\b.*`, `{"status":"ok"}\n${filler}`, true],
    ["(?<=: )ok|no$", `status: ok, ${filler}`, true],
    ["ok|no$", `status: ok, ${filler}`, true],
  ])("for %s", (pattern, text, isFound) => {
    expect(find(pattern, text).isFound).toBe(isFound);
  });

  it.each([
    ["what stands behind what is searched", "end", `${filler}end`],
    ["an end that is none", "x.$", filler],
    ["a border that is none", String.raw`a\b`, `${"b ".repeat(4_999)}baab`],
    ["what a look ahead can't see", "^x(?!.*end)", `${filler}end`],
    ["what a look ahead can't see, repeated", "^(x)(?!( x)+end)", `${filler}end`],
  ])("does not find, and does not deny, %s", (_what, pattern, text) => {
    expect(find(pattern, text)).toMatchObject({
      isFound: false,
      unsearched: expect.stringMatching(/^found in none of the first \d+ of 1\d+ characters/),
    });
  });

  it("is not made when those before it took too long, which is told", () => {
    const searches = new Searches();
    const found = Array.from({ length: 20 }, () => searches.search("a+b", "a".repeat(10_000)));

    expect(found[0]).toEqual({ isFound: false, unsearched: "" });
    expect(found.at(-1)).toMatchObject({ unsearched: expect.stringContaining("not searched") });
  });
});
