import { readFileSync } from "node:fs";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { configuration } from "../../src/executor/skills/configuration.ts";
import {
  applyPatch,
  difference,
} from "../../src/executor/skills/configuration/changes/json-patch.ts";
import type { JsonObject, JsonValue } from "../../src/executor/skills/skill.ts";
import { expectFailure, expectResult, runSkill } from "./skill-run.ts";

function sample(name: string): string {
  return readFileSync(new URL(`../samples/configuration/${name}`, import.meta.url), "utf8");
}

function configure(input: JsonObject, configured: JsonObject = {}): JsonObject {
  return expectResult(runSkill(configuration, input, { configuration: configured }).outcome).output;
}

function refused(input: JsonObject, configured: JsonObject = {}) {
  return expectFailure(runSkill(configuration, input, { configuration: configured }).outcome);
}

const COMPOSE = sample("docker-compose.yml");
const COMPOSE_SCHEMA: JsonObject = {
  type: "object",
  properties: {
    services: {
      additionalProperties: {
        type: "object",
        required: ["image"],
        additionalProperties: false,
        properties: {
          image: { type: "string" },
          logging: { type: "object" },
          ports: { type: "array", items: { type: "string" } },
          environment: { type: "object" },
          depends_on: { type: "array" },
          volume: { type: "array" },
          restart: { enum: ["no", "always", "on-failure", "unless-stopped"] },
        },
      },
    },
  },
};

describe("validating a configuration", () => {
  it("finds every fault of a compose file with line and column", () => {
    const { valid, faults } = configure({
      document: { name: "docker-compose.yml", text: COMPOSE },
      schema: COMPOSE_SCHEMA,
    });

    expect(valid).toBe(false);
    expect(faults).toMatchObject([
      { pointer: "/services/admin/restart", line: 24, column: 14, rule: "enum", found: "allways" },
      {
        pointer: "/services/db/volumes",
        line: 30,
        column: 5,
        detail: 'The name "volumes" is not known here. Did you mean "volume"?',
      },
    ]);
  });

  it("notices what a schema does not see", () => {
    const { notices } = configure({ document: { name: "docker-compose.yml", text: COMPOSE } });

    expect(notices).toMatchObject([
      {
        kind: "unresolved_placeholder",
        line: 16,
        detail: "${DB_PASSWORD} has no value and no default.",
      },
      { kind: "unresolved_placeholder", line: 29 },
      { kind: "duplicate_port", pointer: "/services/admin/ports/0", line: 23 },
    ]);
  });

  it("resolves placeholders by a .env document and variables", () => {
    const documents = [
      { name: "docker-compose.yml", text: COMPOSE },
      { name: ".env", text: "DB_PASSWORD=x\n" },
    ];

    expect(configure({ documents }, { operation: "validate" })["notices"]).toMatchObject([
      { kind: "duplicate_port" },
    ]);
  });

  it.each([
    ["package.json", '{\n  "name": "shop",\n  "version": 1\n}', 3, 14],
    [
      "app.toml",
      'name = "shop"\n\n[tool]\nversion = "1"\n[tool.inner]\nport = "x"\nversion = 1',
      7,
      1,
    ],
    ["app.yaml", "name: shop\nversion: 1\n", 2, 10],
    ["app.properties", "name=shop\nversion=1\n", 2, 1],
  ])("says where in %s", (name, text, line, column) => {
    const at = (schema: JsonObject): JsonObject =>
      name.endsWith("toml") ? { properties: { tool: { properties: { inner: schema } } } } : schema;
    const schema = at({ properties: { version: { type: "string", minLength: 2 } } });

    const { faults } = configure({ document: { name, text }, schema });

    expect(faults).toMatchObject([{ line, column }]);
  });

  it("reports a text that can't be read as a fault of the document", () => {
    const { faults } = configure({ document: { name: "a.json", text: '{\n  "a": 1,\n}' } });

    expect(faults).toMatchObject([{ rule: "syntax", line: 2, column: 9 }]);
  });

  it("masks a secret that breaks the schema", () => {
    const output = configure({
      document: { value: { db_password: "hunter22" } },
      schema: { properties: { db_password: { maxLength: 3 } } },
    });

    expect(JSON.stringify(output)).not.toContain("hunter22");
  });

  it.each([
    [{ $ref: "#/nowhere" }, "unusable_schema"],
    [{ $ref: "#" }, "unusable_schema"],
    [{ pattern: "^(a+)+$" }, "unusable_schema"],
    ["[", "invalid_input"],
    [5, "invalid_input"],
  ])("refuses the schema %j", (schema, cause) => {
    expect(refused({ document: { value: "aaaa" }, schema })).toMatchObject({
      root_cause: { class: cause },
    });
  });
});

describe("merging layers", () => {
  const documents = [
    {
      name: "base.yaml",
      text: "port: 8080\nhosts:\n  - name: a\n    weight: 1\nlog: {level: info}\n",
    },
    {
      name: "production.json",
      text: '{"port": 80, "hosts": [{"name": "a", "weight": 5}, {"name": "b"}]}',
    },
    { name: "local.toml", text: 'log.level = "debug"\n' },
  ];

  it("says which layer set each value", () => {
    const output = configure({ documents }, { arrays: "by_key" });

    expect(output["result"]).toEqual({
      port: 80,
      hosts: [{ name: "a", weight: 5 }, { name: "b" }],
      log: { level: "debug" },
    });
    expect(output["provenance"]).toEqual([
      { pointer: "/port", layer: "production.json" },
      { pointer: "/hosts/0/name", layer: "base.yaml" },
      { pointer: "/hosts/0/weight", layer: "production.json" },
      { pointer: "/log/level", layer: "local.toml" },
      { pointer: "/hosts/1/name", layer: "production.json" },
    ]);
    expect(output["text"]).toContain("level: debug");
  });

  it.each([
    ["replace", [2]],
    ["append", [1, 2]],
  ])("arrays by %s", (arrays, list) => {
    const layers = [{ value: { l: [1] } }, { value: { l: [2] } }];

    expect(configure({ documents: layers }, { arrays })["result"]).toEqual({ l: list });
  });

  it("applies merge patches and JSON patches", () => {
    const base = { value: { a: { b: 1, c: 2 }, l: [1, 2] } };
    const patch = [
      { op: "test", path: "/a/b", value: 1 },
      { op: "move", from: "/a/c", path: "/d" },
      { op: "add", path: "/l/-", value: 3 },
    ];

    expect(
      configure({ documents: [base, { value: { a: { b: null } } }] }, { mode: "merge_patch" })[
        "result"
      ],
    ).toEqual({ a: { c: 2 }, l: [1, 2] });
    expect(
      configure({ documents: [base, { value: patch }] }, { mode: "json_patch" })["result"],
    ).toEqual({ a: { b: 1 }, l: [1, 2, 3], d: 2 });
  });

  it("names the operation of a patch that can't be applied", () => {
    const documentsOf = (patch: JsonValue) => [{ value: {} }, { name: "p", value: patch }];

    expect(
      refused({ documents: documentsOf([{ op: "remove", path: "/x" }]) }, { mode: "json_patch" }),
    ).toMatchObject({
      error_message: 'The layer p can\'t be applied: operation 0: there is no "x".',
    });
  });
});

describe("comparing two configurations", () => {
  it("gives a patch that leads from one to the other, for any JSON", () => {
    const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JsonValue>;
    // Equal items in arrays are what a comparison from both ends can count twice.
    const list = fc.array(fc.constantFrom(1, 2), { maxLength: 5 });
    const either = fc.oneof(json, list);

    fc.assert(
      fc.property(either, either, (before, after) => {
        const changes = difference(before, after).map((change) => ({ ...change }));

        expect(applyPatch(before, changes)).toEqual({ ok: true, value: after });
      }),
    );
  });

  it("shows changes with their lines and no secret", () => {
    const documents = [
      { name: "old.env", text: "PORT=80\nAPI_KEY=abcdefgh\nURL=redis://u:pw12@host\n" },
      { name: "new.env", text: "PORT=81\nAPI_KEY=12345678\nURL=redis://u:pw34@host\nNEW=1\n" },
    ];
    const output = configure({ documents });

    expect(output["changes"]).toMatchObject([
      { kind: "changed", pointer: "/PORT", before: "80", after: "81", line: 1 },
      { kind: "changed", pointer: "/API_KEY", before: "***", after: "***", secret: true },
      { kind: "changed", pointer: "/URL", after: "redis://u:***@host" },
      { kind: "added", pointer: "/NEW", line: 4 },
    ]);
    expect(output).toMatchObject({ patch_proven: true, patch_complete: false });
    expect(JSON.stringify(output)).not.toMatch(/abcdefgh|12345678|pw12|pw34/);
  });

  it("compares names such as __proto__ as data", () => {
    const documents = [{ text: '{"__proto__": {"a": 1}}' }, { text: '{"__proto__": {"a": 2}}' }];

    expect(configure({ documents })["patch"]).toEqual([
      { op: "replace", path: "/__proto__/a", value: 2 },
    ]);
    expect(({} as JsonObject)["a"]).toBeUndefined();
  });
});

describe("what configuration refuses", () => {
  const bomb = Array.from(
    { length: 30 },
    (_, at) => `a${at}: &a${at} [${at === 0 ? "x" : `*a${at - 1},*a${at - 1}`}]`,
  ).join("\n");

  // Each list stands for twice the one before: 3 · 2^n - 1 nodes, so the sixteenth passes 100,000 in total.
  it.each([
    ["a.yaml", "line 16, column 12", bomb],
    ["a.yaml", "line 2, column 1", "a: 1\na: 2\n"],
    ["a.yaml", "line 2, column 1", "a:\n\tb: 1\n"],
    ["a.yaml", "refers to what it is part of", "a: &x [*x]"],
    ["a.toml", "line 2, column 5", "a = 1\nb = \n"],
    ["a.json", "line 2, column 2", '\uFEFF{"a": 1,\r\n "a": 2}'],
    [".env", "line 2, column 1", "A=1\noops\n"],
    ["a.properties", "line 2, column 1", "a=1\na=2"],
  ])("%s unreadable at %s", (name, said, text) => {
    const failure = refused({ document: { name, text } }, { to: "json" });

    expect(failure).toMatchObject({ error_type: "input_unreadable_document" });
    expect(failure.error_message).toContain(said);
  });

  it.each([
    [{}, {}, "missing_input"],
    [{ documents: [5] }, {}, "invalid_document"],
    [{ documents: [{ text: "x".repeat(300_001) }] }, {}, "input_too_large"],
    [{ document: { value: 1 } }, { operation: "deploy" }, "invalid_configuration"],
    [{ document: { value: 1 } }, { operation: "convert" }, "invalid_configuration"],
    [{ document: { value: 1 } }, { operation: "diff" }, "two_documents_needed"],
  ])("%j with %j", (input, configured, cause) => {
    expect(refused(input, configured)).toMatchObject({ root_cause: { class: cause } });
  });

  it("lacks a model for a system that is only described", () => {
    const task = { description: "Open port 22 on the web server", configuration: {} };

    expect(configuration.lack?.({ ...task, input_data: {} })).toContain("needs access");
    expect(configuration.lack?.({ ...task, input_data: { documents: [] } })).toBeNull();
  });
});
