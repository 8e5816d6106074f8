import { describe, expect, it } from "vitest";

import { refuse } from "../../src/lib/result.ts";
import { problemSchema } from "../../src/protocol/problem.ts";
import { REFUSAL_CODES } from "../../src/protocol/refusal.ts";
import { problemOf, PROBLEMS } from "../../src/rest/edge/problems.ts";
import { createFakeApp, send, TASK } from "./rest-fakes.ts";

describe("problems", () => {
  it.each(REFUSAL_CODES)(
    "gives %s a status, a title and a problem that keeps its schema",
    (code) => {
      const problem = problemOf({ code, detail: "why" }, { id: "r1", path: "/v1/tasks" });

      expect(problemSchema.parse(problem)).toEqual(problem);
      expect(PROBLEMS[code].status).toBeGreaterThanOrEqual(400);
      expect(PROBLEMS[code].title.length).toBeGreaterThan(10);
    },
  );

  it("has the shape of RFC 9457 with code, request id and every fault", async () => {
    const { app } = createFakeApp();

    const response = await send(app, "/v1/tasks?dry=1", {
      headers: { "X-Request-Id": "r-1" },
      body: { task_type: "cooking", description: "too short", priority: 1 },
    });

    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
    expect(await response.json()).toMatchInlineSnapshot(`
      {
        "code": "validation_failed",
        "detail": "4 faults",
        "errors": [
          {
            "code": "unrecognized_keys",
            "detail": "unknown field "dry"",
            "expected": "no such field",
            "pointer": "/query/dry",
            "received": ""1"",
          },
          {
            "code": "invalid_value",
            "detail": "Invalid option: expected one of "code_generation"|"code_debugging"|"data_analysis"|"documentation"|"testing"|"deployment"|"configuration"|"monitoring"|"research"|"general"",
            "expected": ""code_generation" | "code_debugging" | "data_analysis" | "documentation" | "testing" | "deployment" | "configuration" | "monitoring" | "research" | "general"",
            "pointer": "/task_type",
            "received": ""cooking"",
          },
          {
            "code": "too_small",
            "detail": "Too small: expected string to have >=10 characters",
            "expected": "at least 10",
            "pointer": "/description",
            "received": ""too short"",
          },
          {
            "code": "invalid_value",
            "detail": "Invalid option: expected one of "low"|"normal"|"high"|"critical"|"urgent"",
            "expected": ""low" | "normal" | "high" | "critical" | "urgent"",
            "pointer": "/priority",
            "received": "1",
          },
        ],
        "instance": "/v1/tasks",
        "request_id": "r-1",
        "status": 400,
        "title": "The request breaks its schema",
        "type": "/docs#problem-validation_failed",
      }
    `);
  });

  it("adds what a refusal adds, and lets it replace nothing", () => {
    const problem = problemOf(
      {
        code: "idempotency_conflict",
        detail: "why",
        extra: { task_id: "t1", status: 200, code: "x" },
      },
      { id: "r1", path: "/v1/tasks" },
    );

    expect(problem).toMatchObject({ task_id: "t1", status: 409, code: "idempotency_conflict" });
  });

  it("sends the wait of a refusal as Retry-After too", async () => {
    const { app } = createFakeApp({
      tasks: {
        view: async () =>
          refuse({ code: "unavailable", detail: "later", extra: { retry_after: 1.2 } }),
      },
    });

    const response = await send(app, "/v1/tasks/t1");

    expect(response.headers.get("Retry-After")).toBe("2");
  });

  it("never echoes a secret", async () => {
    const secrets = ["whsec_c2VjcmV0", "bk_verysecret", "s3cr3t", "tok-123", "hunter2"];
    const { app, lines } = createFakeApp();

    const answers = await Promise.all([
      send(app, "/v1/webhooks", {
        body: {
          url: 7,
          secret: "whsec_c2VjcmV0",
          headers: { Authorization: "Bearer s3cr3t\u0000", "X-Any": "hunter2\u0000" },
          webhook_secret: "s3cr3t",
          note: "use bk_verysecret please",
        },
      }),
      send(app, "/v1/tasks", {
        headers: { "Idempotency-Key": "hunter2 hunter2" },
        body: {
          ...TASK,
          orchestrator_info: { callback_url: "//u:hunter2@x", session_id: ["s3cr3t"] },
          lease_token: "tok-123",
        },
      }),
      send(app, "/v1/tasks/t1/heartbeat", {
        headers: { "Lease-Token": "tok-123 tok-123" },
        body: '{"token": "s3cr3t", oops',
      }),
      send(app, "/v1/tasks", { key: "bk_verysecret" }),
    ]);

    for (const answer of answers) expect(answer.status).toBeGreaterThanOrEqual(400);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    const everything = texts.join("\n") + JSON.stringify(lines);
    for (const secret of secrets) expect(everything).not.toContain(secret);
  });
});
