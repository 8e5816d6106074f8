import { describe, expect, it } from "vitest";

import { readDeclarations } from "../../src/executor/skills/documentation/typescript/declarations.ts";
import { readDoc } from "../../src/executor/skills/documentation/typescript/jsdoc.ts";

function read(source: string) {
  const outcome = readDeclarations(source);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.refusal));
  return outcome.value;
}

const membersOf = (source: string): string[] =>
  read(source).flatMap(({ members }) => members.map(({ text }) => text));

describe("reading declarations", () => {
  it.each<[source: string, signatures: string[]]>([
    [
      "export type A = { a: 1 } | { b: `}${string}{` }",
      ["type A = { a: 1 } | { b: `}${string}{` }"],
    ],
    ["type A =\n  | 'x'\n  | 'y'\ntype B = 1", ["type A =\n  | 'x'\n  | 'y'", "type B = 1"]],
    [
      "type F = (a: (b: string) => void) => a is T",
      ["type F = (a: (b: string) => void) => a is T"],
    ],
    [
      "type C<T> = T extends (infer U)[] ? U : never;",
      ["type C<T> = T extends (infer U)[] ? U : never"],
    ],
    [
      "type N = new (...a: never[]) => object\nconst a = 1",
      ["type N = new (...a: never[]) => object", "const a = 1"],
    ],
    ["type I = import('x').Y<string>[]", ["type I = import('x').Y<string>[]"]],
    [
      "function f(a = '}', b = { c: [1] }): { d: number } { return /[}/'\"]/.test(a) ? 1 / 2 : `${a}` }\nconst b = 1",
      ["function f(a = '}', b = { c: [1] }): { d: number }", "const b = 1"],
    ],
    [
      "export async function* g<const T>(this: A): AsyncGenerator<T, void>",
      ["function* g<const T>(this: A): AsyncGenerator<T, void>"],
    ],
    [
      "const a = f<A, B>(1), b: Map<string, [x: 1, y?: 2]> = new Map()\nlet c!: string",
      ["const a", "const b: Map<string, [x: 1, y?: 2]>", "let c: string"],
    ],
    ["export default class extends Base<{ a: 1 }> { x = 1 }", ["class extends Base<{ a: 1 }>"]],
    ["@dec({ a: '}' }) abstract class A {}", ["abstract class A"]],
    ["const enum E { A = 'a}', B }", ["const enum E"]],
    ["declare module 'x' { export const y: 1 }", ["module 'x'", "const y: 1"]],
    ["declare global { interface Window { a: 1 } }", ["global", "interface Window"]],
    ["type = 5\nlet type: string\nabstract = 3", ["let type: string"]],
    ["if (a < b) { c() }\nfor (;;) {}\nexport const d = 2", ["const d = 2"]],
  ])("reads %s", (source, signatures) => {
    expect(read(source).flatMap((each) => each.signatures)).toEqual(signatures);
  });

  it("reads members with and without marks between them", () => {
    expect(
      membersOf(`interface A {
        a: string; b?: number,
        readonly c: () => { d: 1 }
        get: number
        get e(): string; set e(value: string)
        "f-g"(): void
        1: 2
        <T>(x: T): T
        new (): A
        readonly [key: string]: unknown
        static?: boolean
      }`),
    ).toEqual([
      "a: string",
      "b?: number",
      "readonly c: () => { d: 1 }",
      "get: number",
      "get e(): string",
      "set e(value: string)",
      '"f-g"(): void',
      "1: 2",
      "<T>(x: T): T",
      "new (): A",
      "readonly [key: string]: unknown",
      "static?: boolean",
    ]);
  });

  it("passes over bodies and initialisers of classes", () => {
    expect(
      membersOf(`class A {
        static { this.x = "}" }
        private handler = (a: string) => { return a }
        private static readonly B = new Map<string, number>([["a", 1]])
        constructor(private readonly a: string, public b = 2) { super() }
        async *items<T>(): AsyncIterable<T> { yield* [] }
        declare c?: string
      }`),
    ).toEqual([
      "private handler",
      "private static readonly B",
      "constructor(private readonly a: string, public b = 2)",
      "async *items<T>(): AsyncIterable<T>",
      "declare c?: string",
    ]);
  });

  it("knows what is exported, by word, by list, by namespace, and in a script without exports", () => {
    const exported = (source: string) =>
      read(source)
        .filter((each) => each.is_exported)
        .map(({ name }) => name);

    expect(exported("const a = 1; const b = 2; export { a as c }")).toEqual(["a"]);
    expect(exported("interface A {} namespace N { type T = 1 }")).toEqual(["A", "N", "N.T"]);
    expect(
      exported("export namespace N { type T = 1; export type U = 2 } namespace M { type V = 3 }"),
    ).toEqual(["N", "N.U"]);
    expect(
      exported("declare function f(): void; declare namespace f { type O = 1 } export = f;"),
    ).toEqual(["f", "f", "f.O"]);
  });

  it.each<[what: string, source: string, line: number, column: number]>([
    ["a string without an end", "const a = 1;\nconst b = 'x\n", 2, 11],
    ["a template without an end", "type A = `${", 1, 10],
    ["a comment without an end", "\n  /* x", 2, 3],
    ["a brace without its partner", "interface A {\n a: {\n}", 3, 2],
    ["a brace too many", "type A = 1\n}", 2, 1],
    ["a bracket of another kind", "const a = (1]", 1, 13],
    ["a missing name", "export interface A { : string }", 1, 22],
    ["a missing type", "type A = ;", 1, 10],
    ["a parameter list cut off", "function f(a: string", 1, 21],
    ["a character of no language", "type A = \u00a7", 1, 10],
  ])("points at %s", (_, source, line, column) => {
    expect(readDeclarations(source)).toMatchObject({ ok: false, refusal: { line, column } });
  });

  it("reads what is deeply nested or long in bounded time", () => {
    const begin = performance.now();

    expect(readDeclarations(`type A = ${"{ a: ".repeat(100_000)}1${" }".repeat(100_000)}`).ok).toBe(
      true,
    );
    expect(readDeclarations(`type A = ${"A<".repeat(100_000)}`).ok).toBe(false);
    expect(readDeclarations("namespace N {".repeat(1_000)).ok).toBe(false);
    expect(readDeclarations(`const a = "${"x\\\\".repeat(300_000)}"`).ok).toBe(true);
    expect(readDeclarations("/".repeat(1_000_000)).ok).toBe(true);
    expect(readDeclarations("`${".repeat(300_000)).ok).toBe(false);
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});

describe("reading JSDoc", () => {
  it("reads its tags, and leaves those within code alone", () => {
    const doc = readDoc(`/**
      * Reads a {@link Pet | pet} by {@link https://example.com}.
      *
      * \`\`\`ts
      * @decorator()
      * \`\`\`
      * @param {string} name - its name
      *   in full
      * @param [limit=10] at most
      * @returns {Pet} the pet
      * @see elsewhere
      * @internal
      */`);

    expect(doc.description).toContain("Reads a pet by https://example.com.");
    expect(doc.description).toContain("@decorator()");
    expect([...doc.params]).toEqual([
      ["name", "its name\n  in full"],
      ["limit", "at most"],
    ]);
    expect(doc).toMatchObject({ returns: "the pet", is_internal: true, deprecated: null });
  });
});
