import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { configuration } from "../../src/executor/skills/configuration.ts";
import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

function sample(name: string): string {
  return readFileSync(new URL(`../samples/configuration/${name}`, import.meta.url), "utf8");
}

function convertAll(input: JsonObject, to: string): JsonObject[] {
  const { outcome } = runSkill(configuration, input, { configuration: { to } });
  return expectResult(outcome).output["documents"] as JsonObject[];
}

function convert(name: string, text: string, to: string): JsonObject {
  return convertAll({ document: { name, text } }, to)[0] ?? {};
}

const COMPOSE = sample("docker-compose.yml");

describe("an integer that a double can't hold", () => {
  it.each([
    ["a.json", '{"id": [1, 12345678901234567890]}', 12],
    ["a.yaml", "ids:\n  - 1\n  - 9007199254740993\n", 5],
    ["a.yaml", "id: 0x20000000000001", 5],
    ["a.yaml", "--- \na: 1\n---\nid: -9007199254740993", 5],
    // Doubles, but ones that are written with other digits.
    ["a.yaml", "min: -9223372036854775808", 6],
    ["a.json", '{"id": 1234567890123456768}', 8],
    ["a.yaml", "a: 1\nb:\n  12345678901234567890: alice", 3],
    ["a.yaml", "12345678901234567890: a\n12345678901234567891: b", 1],
  ])("is refused in %s: %s", (name, text, column) => {
    const { outcome } = runSkill(
      configuration,
      { document: { name, text } },
      { configuration: { to: "toml" } },
    );

    const { error_type, error_message } = expectFailure(outcome);
    expect(error_type).toBe("input_unreadable_document");
    expect(error_message).toContain(`column ${column}`);
  });

  it("is one of which a digit would change, and no other", () => {
    const text =
      '{"a": 9007199254740992, "b": 1e20, "c": "12345678901234567890", "d": 0.1, "12345678901234567891": 1}';
    const yaml = `"12345678901234567891": 0x20000000000000\n9007199254740991: -1e30\n`;

    expect(convert("a.json", text, "yaml")["round_trip"]).toMatchObject({ identical: true });
    expect(convert("a.yaml", yaml, "json")["round_trip"]).toMatchObject({ identical: true });
  });
});

describe("a stream of many documents", () => {
  it("is read once for all of them", () => {
    const text = "---\na: 1\n".repeat(3_000);
    const startedAt = performance.now();

    expect(convertAll({ document: { name: "a.yaml", text } }, "json")).toHaveLength(3_000);
    // Once for each of them it takes a minute.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe("converting a configuration", () => {
  it.each(["json", "yaml", "toml"])("keeps a compose file whole in %s", (to) => {
    const { round_trip, warnings } = convert("docker-compose.yml", COMPOSE, to);

    expect(round_trip).toEqual({ readable: true, identical: true, differences: [] });
    expect(warnings).toEqual([{ pointer: "", detail: "Comments are not carried over." }]);
  });

  it("reads a pyproject and says that dates become text", () => {
    const { text, warnings } = convert("pyproject.toml", sample("pyproject.toml"), "json");

    expect(JSON.parse(text as string)).toMatchObject({
      project: { name: "parcel-tracker", dependencies: ["httpx>=0.27", "pydantic~=2.9"] },
      tool: { ruff: { "line-length": 100 }, release: { last: "2026-03-01" } },
    });
    expect(warnings).toContainEqual({
      pointer: "/tool/release/last",
      detail: "A date of TOML: becomes text.",
    });
  });

  it("tells what TOML and .env can't hold", () => {
    const text = '{"a": null, "list": [1, "x", {"b": true}], "n": 5}';

    expect(convert("a.json", text, "toml")).toMatchObject({
      warnings: [{ pointer: "/a", detail: "TOML has no null: left out." }],
      round_trip: { identical: false, differences: ["/a"] },
    });
    expect(convert("a.json", text, "env")).toMatchObject({
      text: "a=\nlist__0=1\nlist__1=x\nlist__2__b=true\nn=5\n",
      round_trip: { identical: false },
    });
  });

  it("brings text through every format, for any text", () => {
    const entries = fc.dictionary(
      fc.stringMatching(/^[a-zA-Z_]\w{0,8}$/),
      fc.string({ unit: "grapheme" }),
    );

    fc.assert(
      fc.property(
        entries,
        fc.constantFrom("json", "yaml", "toml", "env", "properties"),
        (value, to) => {
          fc.pre(Object.keys(value).length > 0);
          expect(convertAll({ document: { value } }, to)).toMatchObject([
            { round_trip: { identical: true } },
          ]);
        },
      ),
    );
  });

  it("takes each document of a YAML stream", () => {
    const documents = convertAll(
      { document: { name: "k.yaml", text: "a: 1\n---\nb: 2\n" } },
      "json",
    );

    expect(documents).toMatchObject([
      { name: "k.yaml#1" },
      { name: "k.yaml#2", text: '{\n  "b": 2\n}\n' },
    ]);
  });
});
