import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../src/executor/skills/skill.ts";
import { testing } from "../../src/executor/skills/testing.ts";
import { expectFailure, expectResult } from "./skill-run.ts";
import { always, runWaiting, scriptedTools, serverOf } from "./skill-tools.ts";
import type { Server } from "./skill-tools.ts";

const API = "https://api.example";

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

const LOGIN = {
  name: "logs in",
  request: { method: "POST", url: `${API}/login`, body: { user: "{{user}}", age: "{{age}}" } },
  expect: { status: 201, json: [{ path: "$.token", op: "exists" }] },
  save: { token: "$.token", id: "$.user.id" },
};
const READ = {
  name: "reads who it is",
  request: { url: `${API}/users/{{id}}`, headers: { Authorization: "Bearer {{token}}" } },
  expect: { json: [{ path: "$.name", value: "{{user}}" }] },
};

describe("HTTP tests", () => {
  it("send nothing where an answer chooses the host", async () => {
    const { cases, tools } = await report(always({ json: { next: ".evil.example" } }), {
      variables: { base: API },
      http: [
        { request: { url: "{{base}}/list" }, save: { next: "$.next" } },
        {
          request: { url: "{{base}}{{next}}", headers: { authorization: "Bearer topsecret123" } },
        },
      ],
    });

    expect(tools.sent.map(({ url }) => url)).toEqual([`${API}/list`]);
    expect(cases[1]).toMatchObject({ state: "failed", failures: [{ path: "request" }] });
  });

  it("hand what an answer brought to the requests after it", async () => {
    const { output, tools } = await report(
      serverOf({
        [`${API}/login`]: { status: 201, json: { token: "tok-12345", user: { id: 7 } } },
        [`${API}/users/7`]: { json: { name: "Ada" } },
      }),
      { variables: { user: "Ada", age: 36 }, http: [LOGIN, READ] },
    );

    expect(output).toMatchObject({ state: "passed", tests: 2, passed: 2, failed: 0, skipped: 0 });
    expect(tools.sent).toMatchObject([
      {
        method: "POST",
        body: '{"user":"Ada","age":36}',
        headers: { "content-type": "application/json", "idempotency-key": "task-1-http-0" },
      },
      { method: "GET", headers: { authorization: "Bearer tok-12345" } },
    ]);
    expect(tools.sent[1]?.headers).not.toHaveProperty("idempotency-key");
  });

  it("that fail are a result, with what was expected and what was received", async () => {
    const { output, cases, result } = await report(
      always({ status: 500, text: "<html>", duration_ms: 300 }),
      {
        http: [
          {
            request: { url: `${API}/x` },
            expect: { max_latency_ms: 200, json: [{ path: "$.a", value: 1 }] },
          },
        ],
      },
    );

    expect(output["state"]).toBe("failed");
    expect(cases).toMatchObject([
      {
        name: `GET ${API}/x`,
        state: "failed",
        failures: [
          { path: "status", expected: "2xx or 3xx", received: "500" },
          { path: "latency_ms", expected: "at most 200", received: "300" },
          { path: "$", expected: "a JSON document", received: '"<html>"' },
        ],
      },
    ]);
    expect(result.quality.overall_score).toBeGreaterThanOrEqual(0.8);
  });

  it("skip what needs a value that could not be saved", async () => {
    const { output, cases, tools } = await report(always({ status: 401, json: {} }), {
      variables: { user: "Ada", age: 36 },
      http: [LOGIN, READ],
    });

    expect(output).toMatchObject({ state: "failed", passed: 0, failed: 1, skipped: 1 });
    expect(cases[0]?.failures.map(({ path }) => path)).toEqual([
      "status",
      "$.token",
      "save.token",
      "save.id",
    ]);
    expect(cases[1]).toMatchObject({
      state: "skipped",
      reason: "no earlier test could save {{id}}, {{token}}",
    });
    expect(tools.sent).toHaveLength(1);
  });

  it("fail the task only when that is asked for", async () => {
    const { outcome } = await run(
      always({ status: 500 }),
      { http: [{ name: "is up", request: { url: API } }] },
      { fail_task: true },
    );

    const failure = expectFailure(outcome);
    expect(failure).toMatchObject({ error_type: "tests_failed", retry_recommended: false });
    expect(failure.root_cause.evidence).toContain(
      "is up – status: expected 2xx or 3xx, received 500",
    );
  });

  it("send no request a second time after a crash, and still know what it brought", async () => {
    const server = serverOf({
      [`${API}/login`]: { status: 201, json: { token: "tok-12345", user: { id: 7 } } },
      [`${API}/users/7`]: { json: { name: "Ada" } },
    });
    const task = { input_data: { variables: { user: "Ada", age: 36 }, http: [LOGIN, READ] } };
    const before = scriptedTools(server);
    const dropped = testing.run(
      { description: "Test the shop", configuration: {}, ...task },
      before,
    );
    await dropped.next();
    await dropped.next();

    const after = scriptedTools(server, before.journal);
    const { outcome } = await runWaiting(testing, task, after);

    expect(before.sent.map(({ url }) => url)).toEqual([`${API}/login`]);
    expect(after.sent.map(({ url }) => url)).toEqual([`${API}/users/7`]);
    expect(expectResult(outcome).output).toMatchObject({ state: "passed", tests: 2 });
  });

  it("tell no credential, neither given nor saved", async () => {
    const { result, tools } = await report(
      ({ url, headers }) =>
        url.endsWith("/login")
          ? { status: 201, json: { token: "tok-12345", user: { id: 7 } } }
          : { status: 403, text: `not with ${headers?.["authorization"]} and pa55word` },
      {
        variables: { user: "Ada", age: 36, password: "pa55word" },
        http: [LOGIN, { ...READ, expect: { contains: "welcome" } }],
      },
    );

    expect(tools.sent).toHaveLength(2);
    expect(JSON.stringify(result)).not.toMatch(/tok-12345|pa55word/);
    expect(JSON.stringify(result)).toContain("[redacted]");
  });

  it("of which none may be sent are a failure, with the rule", async () => {
    const { outcome, tools } = await run(
      always({ fault: "address_refused", detail: "must name a host, not an IP address" }),
      { http: [{ name: "inner", request: { url: "https://169.254.169.254/" } }] },
    );

    const { error_type, root_cause } = expectFailure(outcome);
    expect(error_type).toBe("requests_refused");
    expect(root_cause.evidence).toContain("inner");
    expect(root_cause.evidence).toContain("must name a host, not an IP address");
    expect(tools.sent).toEqual([]);
  });

  it("cannot be led elsewhere by an answer, and say when a header would break", async () => {
    const { cases, tools } = await report(
      serverOf({
        [`${API}/a`]: { json: { next: "x@evil.example/", bad: "1\r\nx-admin: 1" } },
        [`${API}/x%40evil.example%2F`]: {},
      }),
      {
        http: [
          { request: { url: `${API}/a` }, save: { next: "$.next", bad: "$.bad" } },
          { request: { url: `${API}/{{next}}` } },
        ],
      },
    );

    expect(cases.map(({ state }) => state)).toEqual(["passed", "passed"]);
    expect(tools.sent.map(({ url }) => url)).toEqual([`${API}/a`, `${API}/x%40evil.example%2F`]);
  });
});

describe("what cannot be tested", () => {
  it.each<[string, JsonObject, string]>([
    ["a variable that nobody gives", { http: [READ] }, "/input_data/http/0"],
    [
      "a header with a line break",
      { http: [{ request: { url: API, headers: { "x-a": "1\n2" } } }] },
      "/input_data/http/0/request/headers",
    ],
    [
      "a body of GET",
      { http: [{ request: { url: API, body: "x" } }] },
      "/input_data/http/0/request/body",
    ],
    [
      "a path that is none",
      { json: {}, assertions: [{ path: "$..x", op: "exists" }] },
      "/input_data/assertions/0/path",
    ],
    [
      "assertions without a document",
      { assertions: [{ path: "$.x", value: 1 }] },
      "/input_data/assertions",
    ],
    [
      "ten thousand cases",
      { http: Array.from({ length: 10_000 }, () => READ) },
      "/input_data/http",
    ],
    [
      "an unknown field",
      { http: [{ request: { url: API }, expected: {} }] },
      "/input_data/http/0/expected",
    ],
  ])("is refused with its place: %s", async (_what, input, place) => {
    const { outcome, tools } = await run(always({}), input);

    expect(expectFailure(outcome).root_cause.evidence).toContain(`${place}:`);
    expect(tools.sent).toEqual([]);
  });

  it("needs a model or a sandbox when no test is written down", () => {
    const lack = (input_data: JsonObject) =>
      testing.lack?.({ description: "Run the tests", input_data, configuration: {} });

    expect(lack({ repository: "https://git.example/x" })).toContain("sandbox");
    expect(lack({ http: [] })).toBeNull();
    expect(lack({ schema: {} })).toBeNull();
  });
});
