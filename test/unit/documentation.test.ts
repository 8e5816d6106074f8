import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import * as z from "zod";

import { documentation } from "../../src/executor/skills/documentation.ts";
import { slugOf } from "../../src/executor/skills/documentation/markdown.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

const fileOf = (name: string): string =>
  readFileSync(path.join(import.meta.dirname, "..", name), "utf8");

const outputSchema = z.object({
  language: z.string(),
  kind: z.string(),
  markdown: z.string(),
  toc: z.array(z.object({ level: z.number(), title: z.string(), anchor: z.string() })),
  statistics: z.object({
    documented: z.number(),
    undocumented: z.number(),
    coverage: z.number(),
    sections: z.number(),
    sections_left_out: z.number(),
    private_left_out: z.number(),
    unresolved_references: z.array(z.string()),
  }),
  missing: z.array(z.object({ where: z.string(), what: z.string() })),
});

function write(input: JsonObject, configuration: JsonObject = {}) {
  const { outcome } = runSkill(documentation, input, { configuration });
  const result = expectResult(outcome);
  return { ...result, ...outputSchema.parse(result.output) };
}

/** Links within the page that lead to no heading of it, by GitHub's rule for anchors. */
function deadLinks(markdown: string): string[] {
  const bare = markdown.replaceAll(/^(`{3,}|~{3,}).*?^\1$/gms, "");
  const uses = new Map<string, number>();
  const anchors = new Set<string>();
  for (const [, heading = ""] of bare.matchAll(/^#{1,6} (.*)$/gm)) {
    const slug = slugOf(heading.replaceAll(/\\(.)/g, "$1").replaceAll(/&#?\w+;/g, ""));
    const count = uses.get(slug) ?? 0;
    uses.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return [...bare.matchAll(/\]\(#([^)]*)\)/g)]
    .map(([, anchor = ""]) => anchor)
    .filter((anchor) => !anchors.has(anchor));
}

describe("a reference from OpenAPI", () => {
  const yaml = fileOf("samples/documentation/petshop.yaml");

  it("has every operation, parameter, response and schema of the document", () => {
    const { markdown, toc, kind } = write({ openapi: yaml });

    expect(kind).toBe("openapi");
    expect(toc.map(({ title }) => title)).toEqual([
      "Pet shop",
      "Servers",
      "Authentication",
      "pets",
      "GET /pets",
      "POST /pets",
      "Operations",
      "GET /pets/{pet_id}",
      "Schemas",
      "Pet",
      "Owner",
    ]);
    expect(markdown).toContain(
      "| `limit` | query | integer | no | Pets on a page. ≥ `1`; ≤ `100`; default `20` |",
    );
    expect(markdown).toContain(
      "| `200` | A page of pets | `application/json`: array of [Pet](#pet) |",
    );
    expect(markdown).toContain("| `default` | What went wrong |  |");
    expect(markdown).toContain('| `kind` | one of `"cat"`, `"dog"` | yes |  |');
    expect(markdown).toContain("| `tags[].label` | string or null | no |  |");
    expect(markdown).toContain("| `mother` | [Pet](#pet) | no |  |");
    expect(markdown).toContain("**Deprecated.**");
    expect(deadLinks(markdown)).toEqual([]);
  });

  it("keeps the Markdown of descriptions, but no HTML, heading, script link or table cell of theirs", () => {
    const { markdown } = write({ openapi: yaml });

    expect(markdown).toContain("Sells *animals* to good homes.");
    expect(markdown).toContain("\\# Not a heading of ours");
    expect(markdown).toContain(
      "&lt;script>alert(1)&lt;/script> and [a trap]\\(javascript:alert(1)), but [a page](https://example.com/pets).",
    );
    expect(markdown).toContain("| `201` | Created &#124; stored |  |");
    expect(markdown).toContain("<code>&#94;&#91;a-z&#93;&#43;&#124;x&#36;</code>");
    expect(markdown).not.toMatch(/<(?!code>|\/code>|br>)/);
  });

  it("counts what has no description, and references that lead nowhere", () => {
    const { statistics, missing, quality, next_steps } = write({ text: yaml });

    expect(missing).toEqual([
      { where: "POST /pets", what: "operation" },
      { where: "GET /pets/{pet_id} pet_id", what: "parameter" },
      { where: "GET /pets/{pet_id} 404", what: "response" },
      { where: "#/components/schemas/Pet kind", what: "property" },
      { where: "#/components/schemas/Pet tags", what: "property" },
      { where: "#/components/schemas/Pet tags[].label", what: "property" },
      { where: "#/components/schemas/Owner", what: "schema" },
      { where: "#/components/schemas/Owner city", what: "property" },
    ]);
    expect(statistics.undocumented).toBe(8);
    expect(statistics.unresolved_references).toEqual([
      "#/components/responses/Absent",
      "#/components/schemas/Nobody",
    ]);
    expect(quality.criteria_scores.maintainability).toBe(0.5);
    expect(next_steps).toHaveLength(2);
  });

  it("documents this project's own API", () => {
    const { markdown, statistics, quality } = write({ openapi: fileOf("corpus/openapi-2.0.json") });

    expect(markdown).toContain("### POST /v1/tasks\n");
    expect(statistics).toMatchObject({
      sections: 220,
      sections_left_out: 0,
      unresolved_references: [],
    });
    expect(deadLinks(markdown)).toEqual([]);
    expect(quality.overall_score).toBeGreaterThan(0.85);
  });
});

describe("a reference from a JSON Schema", () => {
  it("documents a schema of this project, in Spanish words when asked", () => {
    const text = fileOf("../schemas/task_execution.json");

    const { markdown, kind } = write(
      { text },
      { language: "es", title: "Petición", heading_level: 2 },
    );

    expect(kind).toBe("schema");
    expect(markdown).toMatch(/^## Petición\n/);
    expect(markdown).toContain("| Nombre | Tipo | Obligatorio | Descripción |");
    expect(markdown).toContain("| `description` | string | sí | 10–10000 caracteres |");
    expect(deadLinks(markdown)).toEqual([]);
  });

  it("ends circles and unions of unions, and survives names that are signs or markup", () => {
    const names = ["__proto__", "a|b", "<img src=x>", "$", "日本", "constructor"];
    const schema = JSON.parse(
      JSON.stringify({
        $ref: "#/$defs/a~1b",
        $defs: {
          "a/b": { $ref: "#/$defs/loop" },
          loop: { $ref: "#/$defs/loop" },
          wide: { properties: Object.fromEntries(names.map((name) => [name, { $ref: "#/x" }])) },
        },
        x: { anyOf: Array.from({ length: 20 }, () => ({ $ref: "#/x" })) },
      }),
    ) as JsonObject;

    const { markdown } = write({ schema });

    expect(markdown).toContain("Type: [a/b](#ab)");
    expect(markdown).toContain("`__proto__`");
    expect(markdown).toContain("`<img src=x>`");
    expect(deadLinks(markdown)).toEqual([]);
  });
});

describe("a reference from TypeScript", () => {
  const source = fileOf("samples/documentation/shop.d.ts.txt");

  it("has what is exported, by kind, with its JSDoc", () => {
    const { markdown, toc, statistics } = write({ text: source }, { title: "Shop" });

    expect(toc.filter(({ level }) => level === 3).map(({ title }) => title)).toEqual([
      "priceOf",
      "Tools.mend",
      "Shop",
      "Pet",
      "Reader",
      "Tools.Deep.Id",
      "Size",
      "LIMIT",
      "greeting",
      "hidden",
      "Tools",
      "Tools.Deep",
    ]);
    expect(markdown).toContain("**Deprecated.** use `Shop.price` &#124; instead");
    expect(markdown).toContain("- `pet` (`Pet`) — the animal, see `Pet`");
    expect(markdown).toContain("- `options` (`{ round?: boolean }`, optional) — how to price it");
    expect(markdown).toContain("**Returns** `number` — the price in cents");
    expect(markdown).toContain("**Throws** RangeError: for a negative age");
    expect(markdown).toContain("```ts\npriceOf(pet, { round: true }); // 1200\n```");
    expect(markdown).toContain(
      "function priceOf<T extends Pet>(pets: readonly T[]): Map<T, number>",
    );
    expect(markdown).toContain("- `readonly name: string` — What it is called.");
    expect(markdown).toContain("- `Large = 1 << 4` — As a horse.");
    expect(markdown).not.toMatch(/secret|stock;|audit/);
    expect(statistics.private_left_out).toBe(1);
    expect(deadLinks(markdown)).toEqual([]);
  });

  it("has the rest too when asked", () => {
    const { markdown } = write({ typescript: source }, { include_private: true });

    expect(markdown).toContain("### Named");
    expect(markdown).toContain("`private readonly stock`");
    expect(markdown).toContain("`#secret`");
  });
});

describe("what cannot be documented", () => {
  it("lacks a model for prose, and says nothing of broken input", () => {
    const lackOf = (input_data: JsonObject) =>
      documentation.lack?.({ description: "Write a tutorial", configuration: {}, input_data });

    expect(lackOf({})).toMatch(/need a model/);
    expect(lackOf({ text: "def main():\n    print('hello')" })).toMatch(/none of them/);
    expect(lackOf({ text: "Once upon a time there was a type of pump." })).toMatch(/none of them/);
    expect(lackOf({ text: "" })).toBeNull();
    expect(lackOf({ text: "export type A = 1;" })).toBeNull();
    expect(lackOf({ openapi: 7 })).toBeNull();
  });

  it.each<[what: string, input: JsonObject, type: string, evidence: RegExp]>([
    ["nothing", {}, "input_missing_input", /no fields/],
    ["an empty text", { text: " \n" }, "input_empty_input", /no text/],
    ["two sources", { openapi: {}, schema: {} }, "input_invalid_input", /openapi and schema/],
    ["a number", { schema: 4 }, "input_invalid_input", /a number/],
    ["a list", { openapi: "[1]" }, "input_invalid_input", /list/],
    ["Swagger 2", { text: '{"swagger": "2.0"}' }, "input_unsupported_version", /"2.0"/],
    ["a broken YAML", { openapi: "openapi: 3.1.0\na: [1,\nb: 2" }, "input_invalid_input", /./],
    ["a broken JSON", { schema: '{"a": tru' }, "input_invalid_input", /./],
    [
      "an alias bomb",
      {
        openapi: `a: &a [x]\n${Array.from({ length: 8 }, (_, at) => `k${at}: &k${at} [${"*a,".repeat(9)}*a]`).join("\n")}\nopenapi: 3`,
      },
      "input_unsupported_version",
      /./,
    ],
    [
      "a brace left open",
      { typescript: "export interface A {\n  b: string" },
      "input_invalid_typescript",
      /found the end/,
    ],
    ["bytes", { typescript: "\u0000\u0001" }, "input_invalid_typescript", /begins nothing/],
    [
      "nothing exported",
      { typescript: "type A = 1; export {}" },
      "input_nothing_to_document",
      /1 declarations/,
    ],
    ["too much", { typescript: " ".repeat(1_100_000) }, "input_input_too_large", /1100000/],
  ])("refuses %s", (_, input, ...[type, evidence]) => {
    const failure = expectFailure(runSkill(documentation, input).outcome);

    expect(failure.error_type).toBe(type.replace("input_input", "input"));
    expect(failure.root_cause.evidence).toMatch(evidence);
  });

  it.each<[name: string, configuration: JsonObject]>([
    ["title", { title: "" }],
    ["language", { language: "fr" }],
    ["include_private", { include_private: "yes" }],
    ["heading_level", { heading_level: 5 }],
  ])("refuses a wrong %s", (name, configuration) => {
    const { outcome } = runSkill(documentation, { schema: {} }, { configuration });

    expect(expectFailure(outcome).error_message).toContain(`configuration.${name}`);
  });

  it("writes what fits of a megabyte, in bounded time, and says what it left out", () => {
    const member = "  /** What it is called in the register of the town. */ name: string;\n";
    const one = (at: number) => `export interface Pet${at} {\n${member.repeat(10)}}\n`;
    const typescript = Array.from({ length: 1_350 }, (_, at) => one(at)).join("");
    const begin = performance.now();

    const { statistics, markdown } = write({ typescript });

    expect(typescript.length).toBeGreaterThan(900_000);
    expect(markdown.length).toBeLessThan(700_000);
    expect(statistics.sections_left_out).toBeGreaterThan(0);
    expect(performance.now() - begin).toBeLessThan(20_000);
  });
});
