import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";
import { z } from "zod";

import { ROUTES } from "../../src/rest/app.ts";
import { openApiDocument } from "../../src/rest/openapi.ts";
import { breakingChanges } from "../openapi-changes.ts";

/* The OpenAPI document against the frozen one of 2.0, and planted changes of it. */

type Json = Record<string, unknown>;

const baseline: unknown = JSON.parse(
  readFileSync(path.join(import.meta.dirname, "../corpus/openapi-2.0.json"), "utf8"),
);
const text = JSON.stringify(openApiDocument(ROUTES));
const today = (): unknown => JSON.parse(text);

/** Both documents are whole, and the machine may be busy. */
const PATIENT = { timeout: 30_000 };

describe("the OpenAPI document", PATIENT, () => {
  it("breaks nobody who was built on that of 2.0", () => {
    expect(breakingChanges(baseline, today())).toEqual([]);
  });
});

/** A value inside a document, by its path. */
function at(document: unknown, ...steps: string[]): Json {
  const record = z.record(z.string(), z.unknown());
  // Not parsed on the way down: a parsed copy could not be changed in place.
  return steps.reduce<Json>((inner, step) => {
    const next = inner[step];
    expect(record.safeParse(next).success).toBe(true);
    return next as Json;
  }, document as Json);
}

const schemas = (document: unknown, ...steps: string[]) =>
  at(document, "components", "schemas", ...steps);

describe("a planted change of the document itself", PATIENT, () => {
  const planted: [string, (document: unknown) => void, string][] = [
    ["a path is gone", (d) => delete at(d, "paths")["/v1/tasks"], "POST /v1/tasks: removed"],
    [
      "a method is gone",
      (d) => delete at(d, "paths", "/v1/tasks")["get"],
      "GET /v1/tasks: removed",
    ],
    [
      "a status is gone",
      (d) => delete at(d, "paths", "/v1/tasks", "post", "responses")["202"],
      "POST /v1/tasks 202: status removed",
    ],
    [
      "a header of answers is gone",
      (d) =>
        delete at(d, "paths", "/v1/tasks", "post", "responses", "202", "headers")["traceparent"],
      "POST /v1/tasks 202: header traceparent removed",
    ],
    [
      "a field of answers is gone",
      (d) => delete schemas(d, "Task", "properties")["status"],
      "GET /v1/tasks/{task_id} 200 Task/status: property removed",
    ],
    [
      "a status of tasks is new",
      (d) => (schemas(d, "Task", "properties", "status")["enum"] as string[]).push("paused"),
      'GET /v1/tasks/{task_id} 200 Task/status: value "paused" does not fit',
    ],
    [
      "a field of requests is required",
      (d) => (schemas(d, "TaskExecution")["required"] as string[]).push("pool"),
      "POST /v1/tasks body TaskExecution/pool: is required now",
    ],
    [
      "a field of requests is gone",
      (d) => delete schemas(d, "TaskExecution", "properties")["tags"],
      "POST /v1/tasks body TaskExecution/tags: property removed",
    ],
    [
      "a priority is refused",
      (d) => (schemas(d, "TaskExecution", "properties", "priority")["enum"] as string[]).pop(),
      'POST /v1/tasks body TaskExecution/priority: value "urgent" does not fit',
    ],
    [
      "a range is narrower",
      (d) => (schemas(d, "TaskExecution", "properties", "timeout")["maximum"] = 60),
      "POST /v1/tasks body TaskExecution/timeout: maximum 86400 is wider than 60",
    ],
    [
      "a scope is not enough any more",
      (d) => (at(d, "paths", "/v1/tasks", "post")["security"] = [{ key: ["admin"] }]),
      'POST /v1/tasks: {"key":["orchestrate"]} is not enough any more',
    ],
    [
      "an open address needs a key",
      (d) => (at(d, "paths", "/health", "get")["security"] = [{ key: ["admin"] }]),
      "GET /health: a key is needed now",
    ],
    [
      "a refusal has another status",
      (d) => (at(d, "x-problems", "lease_lost")["status"] = 410),
      "problem lease_lost: status 409 became 410",
    ],
    [
      "a webhook says less",
      (d) => delete schemas(d, "WebhookDelivery", "properties")["timestamp"],
      "POST notification body WebhookDelivery/timestamp: property removed",
    ],
    [
      "an operation has another name",
      (d) => (at(d, "paths", "/v1/tasks", "post")["operationId"] = "send_task"),
      "POST /v1/tasks: operationId submit_task changed",
    ],
  ];

  it.each(planted)("is found: %s", (_what, plant, change) => {
    const document = today();

    plant(document);

    expect(breakingChanges(baseline, document)).toContain(change);
  });

  const welcome: [string, (document: unknown) => void][] = [
    [
      "an address",
      (d) => (at(d, "paths")["/v1/new"] = { get: { operationId: "new", responses: {} } }),
    ],
    [
      "a field of answers",
      (d) => (schemas(d, "Task", "properties")["colour"] = { type: "string" }),
    ],
    [
      "a field that requests may have",
      (d) => (schemas(d, "TaskExecution", "properties")["colour"] = { type: "string" }),
    ],
    [
      "a value that requests may have",
      (d) =>
        (schemas(d, "TaskExecution", "properties", "task_type")["enum"] as string[]).push(
          "cooking",
        ),
    ],
    [
      "a code of refusals",
      (d) => {
        (schemas(d, "Problem", "properties", "code")["enum"] as string[]).push("key_expired");
        at(d, "x-problems")["key_expired"] = { status: 401, title: "" };
      },
    ],
    [
      "a status of refusals",
      (d) =>
        (at(d, "paths", "/v1/tasks", "post", "responses")["429"] = {
          $ref: "#/components/responses/Problem",
        }),
    ],
  ];

  it.each(welcome)("is welcome: %s", (_what, plant) => {
    const document = today();

    plant(document);

    expect(breakingChanges(baseline, document)).toEqual([]);
  });
});
