import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { readOutput } from "../../src/executor/quality/pieces.ts";
import { syntacticFindings } from "../../src/executor/quality/syntactic.ts";
import { bracketFault, isJudged } from "../../src/executor/quality/syntax/brackets.ts";
import type { JsonValue } from "../../src/executor/skills/skill.ts";
import { questionOf } from "./quality-question.ts";

function findingsOf(output: JsonValue) {
  return syntacticFindings(questionOf({ output }), readOutput(output));
}

function firstOf(output: JsonValue) {
  const { code, location, is_blocking } = findingsOf(output)[0] ?? {};
  return { code, location, is_blocking };
}

const file = (name: string, content: string): JsonValue => ({ files: [{ path: name, content }] });

describe("broken output fails with its location", () => {
  it.each<[string, JsonValue, string, string]>([
    ["JSON", file("a.json", '{\n  "a": 1,\n}'), "invalid_json", "/files/0/content:3:1"],
    ["JSON that ends early", { json: '{"a": [1' }, "invalid_json", "/json:1:9"],
    ["YAML", file("a.yaml", "a: 1\nb: [1, 2\nc: 3\n"), "invalid_yaml", "/files/0/content:3:1"],
    ["TOML", file("a.toml", 'a = 1\nb = "x\n'), "invalid_toml", "/files/0/content:2:7"],
    [
      "a bracket never closed",
      file("a.ts", "const a = (1;\n"),
      "unbalanced_bracket",
      "/files/0/content:1:11",
    ],
    [
      "a bracket too many",
      file("a.py", "def f():\n    return 1)\n"),
      "unbalanced_bracket",
      "/files/0/content:2:13",
    ],
    [
      "the wrong bracket",
      file("a.go", "func f() {\n\tg(a]\n}\n"),
      "unbalanced_bracket",
      "/files/0/content:2:5",
    ],
    [
      "a string",
      file("a.js", "let a = 'x;\nf();\n"),
      "unterminated_string",
      "/files/0/content:1:9",
    ],
    [
      "a template",
      file("a.ts", "const a = `x ${b};\n"),
      "unterminated_string",
      "/files/0/content:1:11",
    ],
    [
      "a comment",
      file("a.rs", "fn f() {}\n/* never\n"),
      "unterminated_comment",
      "/files/0/content:2:1",
    ],
    [
      "code by its sibling",
      { language: "SQL", code: "select (1;" },
      "unbalanced_bracket",
      "/code:1:8",
    ],
    ["a fence", { markdown: "# A\n\n```ts\nlet a;\n" }, "unterminated_fence", "/markdown:3:1"],
    ["code in a fence", { answer: "So:\n\n```js\nf(\n```\n" }, "unbalanced_bracket", "/answer:4:2"],
    ["a patch without hunks", { fix: { patch: "change line 3" } }, "no_hunk", "/fix/patch:1:1"],
    ["a patch", { patch: "@@ -1,2 +1,2 @@\n a\n-b\nc\n" }, "bad_patch_line", "/patch:4:1"],
    ["nothing", {}, "empty_output", ""],
  ])("%s", (_, output, code, location) => {
    expect(firstOf(output)).toEqual({ code, location, is_blocking: true });
  });
});

describe("untidy output is named and not refused", () => {
  it.each<[string, string, string, string]>([
    ["a ragged table", "| a | b |\n| --- | --- |\n| 1 | 2 | 3 |", "ragged_table", "/markdown:3:1"],
    ["a link without address", "See [this]().", "empty_link", "/markdown:1:10"],
    ["a link to no heading", "# One\n\nSee [two](#two).", "dead_link", "/markdown:3:9"],
    ["a reference", "[a]: https://a.example\n\n[see][b]", "dead_link", "/markdown:3:5"],
  ])("%s", (_, markdown, code, location) => {
    expect(firstOf({ markdown })).toEqual({ code, location, is_blocking: false });
  });

  it("counts the lines of a hunk", () => {
    const patch = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n-b\n+c\n";

    expect(firstOf({ patch })).toMatchObject({ code: "bad_hunk", is_blocking: false });
    expect(findingsOf({ patch: patch.replace("-1,3 +1,3", "-1,2 +1,2") })).toEqual([]);
  });

  it("does not hold a text for JSON because it looks like it", () => {
    expect(firstOf({ note: '{"a": …}' })).toMatchObject({
      code: "invalid_json",
      is_blocking: false,
    });
  });
});

describe("sound output passes", () => {
  it.each<[string, JsonValue]>([
    [
      "templates within templates",
      file("a.ts", 'const a = `x ${b.map((c) => `<${c}>`).join("}")} )`;\n'),
    ],
    ["regular expressions", file("a.ts", "const a = /[)(]\\/'/.test(b) ? c / d : (e) / 2;\n")],
    ["markup", file("a.tsx", "const A = () => <p>Don't {x}, see http://a.example (b)</p>;\n")],
    ["Python", file("a.py", "def f(a):\n    '''It's (fine'''\n    return {'a': \"(\"}  # :(\n")],
    ["lifetimes and characters", file("a.rs", "fn f<'a>(x: &'a str) -> char { '(' }\n")],
    ["Go's raw strings", file("a.go", "var a = `\\`\nfunc f() { g('\\'', \"(\") }\n")],
    ["SQL", file("a.sql", "select 'it''s (' -- )\nfrom t where a in (1, 2);\n")],
    ["CSS", file("a.css", "a::after { content: '}'; } /* { */\n")],
    ["YAML documents", file("a.yml", "a: 1\n---\nb: 2\n")],
    ["big numbers of TOML", file("a.toml", "a = 9007199254740993\n")],
    ["JSON with comments for its own readers", file("tsconfig.json", "{ // c\n}")],
    ["an excerpt in a fence", { markdown: 'As in\n\n```json\n{"a": 1, ...}\n```\n' }],
    ["fences in one line", { answer: "```a``` is code" }],
    ["fences in fences", { markdown: "````md\n```js\nf()\n```\n````\n\nAll." }],
    ["links", { markdown: "# A b!\n\n[x](#a-b) [y](https://a.example/b_(c)) `[z]()`" }],
    ["languages it can't judge", file("a.sh", 'case "$1" in\n  a) echo "b" ;;\nesac\n')],
  ])("%s", (_, output) => {
    expect(findingsOf(output)).toEqual([]);
  });

  it("as all of this program's own source does", () => {
    const root = path.join(import.meta.dirname, "../../src");
    const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(?:ts|css)$/.test(name))
      .map((name) => [name, readFileSync(path.join(root, name), "utf8")] as const);
    const broken = sources.flatMap(([name, text]) => {
      const fault = bracketFault(text, name.endsWith("css") ? "css" : "typescript");
      return fault === null ? [] : [{ name, ...fault }];
    });

    expect(sources.length).toBeGreaterThan(200);
    expect(broken).toEqual([]);
    expect(isJudged("shell")).toBe(false);
  });
});

describe("what is looked at", () => {
  it("ends at 500,000 characters, and says so", () => {
    const reading = readOutput({ a: "x".repeat(499_990), code: "f(".repeat(20), language: "js" });

    expect(reading.is_cut).toBe(true);
    expect(reading.pieces.reduce((sum, { text }) => sum + text.length, 0)).toBe(500_000);
  });

  it("leaves alone what a skill quotes of its input", () => {
    const input_data = { notes: 'say ```\n"x' };
    const output = { markdown: 'say ```\n"x' };
    const measured = {
      overall_score: 0.9,
      criteria_scores: { correctness: 1, completeness: 1, efficiency: 1, maintainability: 1 },
      feedback: "",
    };
    const ask = (text: JsonValue) =>
      syntacticFindings(questionOf({ output: text, input_data, measured }), readOutput(text));

    expect(ask({ markdown: "~~~\n" })).toMatchObject([{ is_blocking: true }]);
    expect(ask(output).filter(({ is_blocking }) => is_blocking)).toEqual([]);
  });

  it.each([
    ["brackets", "(".repeat(250_000)],
    ["quotes", "'".repeat(250_000)],
    ["slashes", "= /".repeat(80_000)],
    ["fences", "```\n~~~\n".repeat(30_000)],
    ["pipes", "|-|".repeat(80_000)],
    ["lines", "\n".repeat(400_000)],
    ["spaces", `|${" ".repeat(400_000)}-`],
    ["links", "[a](#".repeat(80_000)],
  ])("is read in good time however hostile: %s", (_, text) => {
    const start = performance.now();
    findingsOf({ markdown: text, files: [{ path: "a.ts", content: text }] });

    expect(performance.now() - start).toBeLessThan(2_000);
  });
});
