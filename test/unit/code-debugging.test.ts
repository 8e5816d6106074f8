import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { codeDebugging } from "../../src/executor/skills/code-debugging.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

function sample(name: string): string {
  return readFileSync(new URL(`../samples/traces/${name}`, import.meta.url), "utf8");
}

function debug(input: JsonObject, configuration: JsonObject = {}): JsonObject {
  return expectResult(runSkill(codeDebugging, input, { configuration }).outcome).output;
}

/** The class of the root cause and its place, in one line. */
function found({ root_cause, location }: JsonObject): string {
  const { class: cause } = root_cause as { class: string };
  const { line, column } = location as { line: number; column: number };
  return `${cause} at ${line}:${column}`;
}

describe("stack traces as their runtimes print them", () => {
  it.each([
    ["node.txt", "javascript missing_value", "/tmp/shop/app.js:5", ["TypeError"]],
    ["firefox.txt", "javascript missing_value", "https://shop.example/assets/cart.js:21", []],
    ["python.txt", "python missing_key", "/tmp/shop/shop.py:5", ["KeyError"]],
    ["java-chained.txt", "java missing_value", "Shop.java:8", ["java.lang.NullPointerException"]],
    [
      "java.txt",
      "java missing_value",
      "OrderMapper.java:24",
      ["com.example.shop.StoreException", "java.lang.NullPointerException"],
    ],
    ["kotlin.txt", "java missing_value", "App.kt:12", []],
    ["go.txt", "go index_out_of_range", "/tmp/shop/gosh/main.go:10", []],
    ["rust.txt", "rust missing_value", "src/main.rs:6", []],
    [
      "csharp.txt",
      "csharp missing_value",
      "/src/Shop/OrderStore.cs:34",
      ["System.NullReferenceException"],
    ],
  ])("%s: %s at %s", (name, what, where, causes) => {
    const [language, cause] = what.split(" ");
    const [, file, line] = /^(.*):(\d+)$/.exec(where) ?? [];

    expect(debug({ stack_trace: sample(name) })).toMatchObject({
      kind: "trace",
      language,
      root_cause: { class: cause },
      location: { file, line: Number(line) },
      causes: causes.map((type) => ({ type })),
      traces: 1,
    });
  });

  it("tells own code from libraries and shows the source", () => {
    const app = "one\ntwo\nthree\nfour\n  return order.lines.map((line) => line.price);\nsix\n";
    const output = debug({ stack_trace: sample("node.txt"), files: { "shop/app.js": app } });
    const frames = output["frames"] as { function: string | null; own: boolean }[];

    expect(frames.filter(({ own }) => own).map((frame) => frame.function)).toEqual([
      "loadOrder",
      "main",
      "Object.<anonymous>",
    ]);
    expect((output["excerpt"] as string).split("\n")[2]).toBe(
      "5 |   return order.lines.map((line) => line.price);",
    );
    expect((output["excerpt"] as string).split("\n")[3]).toBe(`${" ".repeat(4 + 15)}^`);
  });

  it("takes an error without frames, as text or object", () => {
    expect(debug({ error: "connect ECONNREFUSED 127.0.0.1:5432" })).toMatchObject({
      root_cause: { class: "connection_refused" },
      location: null,
    });
    expect(debug({ error: { name: "KeyError", message: "'country'" } })).toMatchObject({
      root_cause: { class: "missing_key" },
      error: { type: "KeyError", message: "'country'" },
    });
  });
});

describe("logs", () => {
  it("groups the traces of a log by fingerprint and counts its lines", () => {
    const output = debug({ log: sample("service-log.txt") });

    expect(output["groups"]).toMatchObject([
      {
        count: 2,
        root_cause: "connection_refused",
        lines: [4, 10],
        culprit: { file: "/srv/shop/src/orders.js", line: 12 },
      },
      {
        count: 1,
        root_cause: "missing_value",
        lines: [16],
        culprit: { file: "/srv/shop/src/view.js" },
      },
    ]);
    expect(output["log"]).toMatchObject({
      errors: 3,
      warnings: 2,
      groups: [
        {
          level: "ERROR",
          template: "request <uuid> failed",
          count: 2,
          first: { line: 3 },
          last: { line: 9 },
        },
        { level: "ERROR", template: "template missing", count: 1 },
        { level: "WARN", template: "queue depth <n> above <n>", count: 2 },
      ],
    });
  });

  it("reads lines of JSON", () => {
    const line = (level: number, msg: string) => `{"level":${level},"time":1,"msg":"${msg}"}`;
    const log = [
      line(30, "up"),
      line(50, "disk ENOSPC 1"),
      line(50, "disk ENOSPC 2"),
      line(40, "slow"),
    ].join("\n");

    expect(debug({ log })).toMatchObject({
      kind: "log",
      errors: 2,
      warnings: 1,
      root_cause: { class: "disk_full" },
      location: { line: 2 },
    });
  });
});

describe("texts that can't be read", () => {
  it.each([
    ['{"a": 1,}', "trailing_comma at 1:8", '{"a": 1}'],
    ["{'a': True}", "single_quotes at 1:2", '{"a": true}'],
    ["{a: 1}", "unquoted_key at 1:2", '{"a": 1}'],
    ['{"a": 1\n "b": 2}', "missing_comma at 2:2", '{"a": 1,\n "b": 2}'],
    ["{“a”: 1}", "smart_quotes at 1:2", '{"a": 1}'],
    ['{"a": 1} // x', "trailing_text at 1:10", '{"a": 1} '],
    ['{"a": [1, 2}', "mismatched_bracket at 1:12", '{"a": [1, 2]}'],
    ['{"a": {"b": 1}', "unclosed at 1:15", '{"a": {"b": 1}}'],
    ['\uFEFF{"a": 1}', "byte_order_mark at 1:1", '{"a": 1}'],
    ['{"a": .5, "b": +1}', "bad_number at 1:7", '{"a": 0.5, "b": 1}'],
    ['{"a": "b}', "unclosed_string at 1:7", null],
    ['{"path": "C:\\Users"}', "bad_escape at 1:13", null],
    ['{"a": 1, "a": 2}', "duplicate_key at 1:10", null],
    ["<<<<<<< HEAD\n{}\n=======\n[]\n>>>>>>> x", "merge_conflict at 1:1", null],
  ])("%j: %s", (text, what, repaired) => {
    const output = debug({ text }, { format: "json" });

    expect(output).toMatchObject({ kind: "text", repaired });
    expect(found(output)).toBe(what);
  });

  it("finds where the open bracket stands and draws a caret", () => {
    const text = '{\n  "ports": [80, 81,\n  "name": "x"\n}';
    const { opened_at, excerpt } = debug({ text });

    expect(opened_at).toEqual({ line: 2, column: 12 });
    expect(excerpt).toBe('1 | {\n2 |   "ports": [80, 81,\n3 |   "name": "x"\n            ^\n4 | }');
  });

  it("repairs YAML indented with tabs and says so", () => {
    expect(debug({ name: "a.yaml", text: "a:\n\tb: 1\n" })).toMatchObject({
      root_cause: { class: "tab_indentation" },
      repaired: "a:\n  b: 1\n",
      repairs: [{ line: 2, change: "tabs of the indentation made spaces" }],
    });
  });

  it.each([
    ["a.ts", "function f() {\n  return [1, 2;\n}\n", "mismatched_bracket at 3:1"],
    ["a.js", "const s = `a ${b ? `}` : '{'} c`;\nif (x) {\n", "unclosed_bracket at 2:8"],
    ["a.js", "const r = /[{/]/; // {\nf(/\\{/);\n}", "stray_bracket at 3:1"],
    ["a.rs", "fn f<'a>(x: &'a str) -> char { '{' \n", "unclosed_bracket at 1:30"],
    [
      "a.py",
      'def f(x):\n    """{ not code"""\n    if x\n        return 1\n',
      "missing_colon at 3:9",
    ],
    ["a.py", "def f(x):\n    a = 1\n  b = 2\n", "unindent_mismatch at 3:3"],
    ["a.py", "def f(x):\nreturn 1\n", "missing_block at 2:1"],
    ["a.jsx", "const p = <p>it's {a</p>;\n", "unclosed_bracket at 1:19"],
    ["a.ts", "const f = <T>(a: T) => 'it;\n", "unclosed_string at 1:24"],
    ["a.java", 'class A { String s = "a; }\n', "unclosed_string at 1:22"],
  ])("%s %j: %s", (name, text, what) => {
    const output = debug({ name, text });

    expect(output).toMatchObject({ kind: "code", location: { file: name } });
    expect(found(output)).toBe(what);
  });
});

describe("what code_debugging leaves to a model", () => {
  const lackOf = (input_data: JsonObject) =>
    codeDebugging.lack?.({ description: "The total is wrong", input_data, configuration: {} });

  it.each([
    {},
    { text: '{"a": 1}' },
    { name: "a.py", text: "def f(x):\n    return x\n" },
    { name: "a.jsx", text: "const p = <div>it's {a} and \"b</div>;\n" },
    { name: "a.js", text: "const p = (\n  <p>\n    Don't {stop ? <b>it's</b> : 1}\n  </p>\n);\n" },
    { stack_trace: "" },
  ])("%j: says that it needs one", (input) => {
    expect(lackOf(input)).toContain("needs a model");
    expect(expectFailure(runSkill(codeDebugging, input).outcome).root_cause.class).toBe(
      "nothing_broken",
    );
  });

  it("lacks nothing for an error", () => {
    expect(lackOf({ error: "TypeError: x is not a function" })).toBeNull();
  });
});
