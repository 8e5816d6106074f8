import fc from "fast-check";
import { dump } from "js-yaml";
import { describe, expect, it } from "vitest";
import * as z from "zod";

import { plainJson } from "../../src/executor/skills/formats/plain-json.ts";
import { readYaml } from "../../src/executor/skills/formats/yaml.ts";

const bomb = [
  "a: &a [x,x,x,x,x,x,x,x,x,x]",
  ..."bcdefgh".split("").map((key, at) => {
    const before = "abcdefgh".charAt(at);
    return `${key}: &${key} [${Array.from({ length: 10 }, () => `*${before}`).join(",")}]`;
  }),
].join("\n");

describe("readYaml", () => {
  it("reads what YAML 1.2 says, dates and yes as text", () => {
    const text = "on: yes\nday: 2024-01-05\nport: 8080\nlist: &l [1, ~]\nagain: *l\n__proto__: 1\n";

    expect(readYaml(text)).toEqual({
      ok: true,
      value: JSON.parse(
        '{"on":"yes","day":"2024-01-05","port":8080,"list":[1,null],"again":[1,null],"__proto__":1}',
      ),
    });
  });

  it.each<[what: string, text: string, line: number, column: number]>([
    ["nothing", "", 1, 1],
    ["a flow sequence left open", "a: [1,\nb: 2", 2, 1],
    ["a key given twice", "a: 1\r\na: 2", 2, 1],
    ["a second document", "a: 1\n---\nb: 2", 2, 1],
    ["a tag that makes an object", "a: 1\nb: !!js/function x", 2, 4],
    ["a tab as indentation", "a:\n\tb: 1", 2, 1],
    ["an unknown alias", "a: *x", 1, 5],
    ["a value within itself", "a: &x\n  - *x", 2, 5],
    ["infinity", "a: 1\nb: .inf", 2, 4],
    ["levels without end", `a: ${"[".repeat(200)}`, 1, 103],
    ["an alias bomb", bomb, 5, 29],
  ])("refuses %s where it stands", (_, text, line, column) => {
    expect(readYaml(text)).toMatchObject({ ok: false, refusal: { line, column } });
  });

  it.each(["---\n", "a: 1\n---\n", "a\n...\n"])("refuses a stream without end of %j", (piece) => {
    const { refusal } = z
      .looseObject({ refusal: z.object({ detail: z.string() }) })
      .parse(readYaml(piece.repeat(25_000)));

    expect(refusal.detail).toContain("more than 10000 marks of documents");
  });

  it("refuses a chain of aliases deeper than any nesting", () => {
    const chain = Array.from({ length: 300 }, (_, at) => `k${at}: &k${at} [*k${at - 1}]`);

    expect(readYaml(["k0: &k0 []", ...chain.slice(1)].join("\n"))).toMatchObject({
      ok: false,
      refusal: { line: 2, detail: expect.stringContaining("levels") },
    });
  });

  it("gives back any JSON that was written as YAML", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        // JSON has one zero.
        const plain: unknown = JSON.parse(JSON.stringify(value));
        expect(readYaml(dump(plain))).toEqual({ ok: true, value: plain });
      }),
    );
  });

  it("never throws, whatever the text", () => {
    const piece = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "&x",
      "*x",
      "{",
      "]",
      "!",
      "|",
      ">",
      '"',
      "\t",
      "\ud800",
      "\0",
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join("")),
        (text) => {
          expect(typeof readYaml(text).ok).toBe("boolean");
        },
      ),
    );
  });
});

describe("plainJson", () => {
  it("refuses a list within itself and what is no data", () => {
    const circle: unknown[] = [];
    circle.push(circle);

    expect(plainJson(circle)).toMatchObject({ ok: false, refusal: { class: "circular" } });
    expect(plainJson([() => 1])).toMatchObject({ ok: false, refusal: { class: "not_json" } });
    expect(plainJson("x".repeat(5_000_000))).toMatchObject({ ok: true });
  });
});
