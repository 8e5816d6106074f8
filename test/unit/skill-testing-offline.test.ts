import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { testing } from "../../src/executor/skills/testing.ts";
import { junitOf } from "../../src/executor/skills/testing/junit.ts";
import { reportOf } from "../../src/executor/skills/testing/report.ts";
import registryDocument from "../samples/http/registry-document.json" with { type: "json" };
import { expectFailure, expectResult } from "./skill-run.ts";
import { always, runWaiting, scriptedTools } from "./skill-tools.ts";
import type { Server } from "./skill-tools.ts";

async function run(server: Server, input_data: JsonObject, configuration: JsonObject = {}) {
  const tools = scriptedTools(server);
  const { outcome, progress } = await runWaiting(testing, { input_data, configuration }, tools);
  return { outcome, progress, tools };
}

async function report(server: Server, input_data: JsonObject, configuration: JsonObject = {}) {
  const { outcome, tools } = await run(server, input_data, configuration);
  const result = expectResult(outcome);
  const cases = result.output["cases"] as unknown as {
    name: string;
    state: string;
    reason: string | null;
    failures: { path: string; expected: string; received: string }[];
  }[];
  return { result, output: result.output, cases, tools };
}

describe("tests of documents", () => {
  it("judge a document of a registry as by hand", async () => {
    const { output, cases } = await report(always({}), {
      documents: [
        {
          name: "registry",
          json: registryDocument,
          assertions: [
            { path: "$.name", value: "@cfworker/json-schema" },
            { path: '$["dist-tags"].latest', value: "4.1.6" },
            { path: "$.versions", op: "length", value: 28 },
            { path: "$.versions[0]", value: "1.2.0" },
            { path: "$.versions[-1]", op: "matches", value: "^4\\.\\d+\\.\\d+$" },
            { path: "$.versions", op: "contains", value: "2.0.1" },
          ],
        },
        {
          name: "wrong on purpose",
          json: registryDocument,
          assertions: [
            { path: "$.versions", op: "contains", value: "9.9.9" },
            { path: "$.time", op: "type", value: "array" },
          ],
        },
      ],
    });

    expect(output).toMatchObject({ tests: 2, passed: 1, failed: 1 });
    expect(cases[1]?.failures).toMatchObject([
      { path: "$.versions", expected: 'contains "9.9.9"' },
      { path: "$.time", expected: 'type "array"', received: "object" },
    ]);
  });

  it("take one document without a list", async () => {
    const { cases } = await report(always({}), {
      json: [1],
      assertions: [{ path: "$[0]", value: 1 }],
    });

    expect(cases).toMatchObject([{ name: "json", state: "passed" }]);
  });
});

describe("tests of a schema", () => {
  const schema = {
    type: "object",
    required: ["id"],
    properties: {
      id: { type: "integer", minimum: 1 },
      tags: { type: "array", items: { type: "string" } },
    },
    additionalProperties: false,
  };

  it("let the valid pass and the invalid not", async () => {
    const { output, cases } = await report(always({}), {
      schema,
      valid: [{ id: 1 }, { id: 2, tags: ["a"] }, { id: 0 }],
      invalid: [{}, { id: "1" }, { id: 1, more: true }, { id: 3 }],
    });

    expect(output).toMatchObject({ tests: 7, passed: 5, failed: 2 });
    expect(cases.filter(({ state }) => state === "failed")).toMatchObject([
      { name: "valid 3" },
      { name: "invalid 4", failures: [{ expected: "to break the schema", received: '{"id":3}' }] },
    ]);
  });

  it.each<[string, JsonObject]>([
    ["that is no schema", { schema: { type: "text" }, valid: [1] }],
    ["that refers to nothing", { schema: { $ref: "#/$defs/none" }, valid: [1] }],
    ["with a pattern that may stall", { schema: { pattern: "(a+)+$" }, valid: [1] }],
    ["without an example", { schema }],
  ])("%s are refused", async (_what, input) => {
    const { outcome } = await run(always({}), input);

    expect(expectFailure(outcome).error_type).toBe("input_invalid_parameters");
  });
});

describe("the report", () => {
  it("is JUnit XML too, with what XML cannot hold made harmless", () => {
    const junit = junitOf(
      reportOf([
        {
          group: "http",
          name: 'a <"b"> & c',
          state: "passed",
          duration_ms: 1_234,
          failures: [],
          reason: null,
        },
        {
          group: "http",
          name: "bell \u0007",
          state: "failed",
          duration_ms: 1,
          failures: [{ path: "$.x", expected: 'eq "<1>"', received: "nothing" }],
          reason: null,
        },
        {
          group: "json",
          name: "later",
          state: "skipped",
          duration_ms: 0,
          failures: [],
          reason: "no {{id}}",
        },
      ]),
    );

    expect(junit).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1" errors="0" skipped="1" time="1.235">
  <testsuite name="http" tests="2" failures="1" errors="0" skipped="0" time="1.235">
    <testcase classname="http" name="a &lt;&quot;b&quot;&gt; &amp; c" time="1.234"/>
    <testcase classname="http" name="bell \uFFFD" time="0.001">
      <failure message="$.x">$.x: expected eq "&lt;1&gt;", received nothing</failure>
    </testcase>
  </testsuite>
  <testsuite name="json" tests="1" failures="0" errors="0" skipped="1" time="0.000">
    <testcase classname="json" name="later" time="0.000">
      <skipped message="no {{id}}"/>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it("fits a message however much fails", async () => {
    const assertions = Array.from({ length: 100 }, (_, at) => ({
      path: `$.${"x".repeat(400)}${at}`,
      value: '"'.repeat(400),
    }));
    const documents = Array.from({ length: 100 }, () => ({ json: {}, assertions }));

    const { result } = await report(always({}), { documents });

    expect(JSON.stringify(result).length).toBeLessThan(900_000);
    expect(result.output).toMatchObject({ tests: 100, failed: 100 });
  });
});
