import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { BatchView } from "../../src/protocol/batch.ts";
import type { RequestView } from "../../src/protocol/request.ts";
import batchSamples from "../samples/batch.json" with { type: "json" };
import requestSamples from "../samples/request_view.json" with { type: "json" };
import { TASK, createFakeApp, send } from "./rest-fakes.ts";
import type { Given } from "./rest-fakes.ts";

const BATCH = batchSamples.valid["a running batch"] as BatchView;
const REQUEST = requestSamples.valid["under way"] as RequestView;
const DRY = requestSamples.valid["a dry run"] as RequestView;
const BODY = { tasks: [TASK] };
const GOAL = { goal: "Research the market for bicycles" };

describe("the routes of batches", () => {
  it.each([
    { isNew: true, status: 202, replayed: null },
    { isNew: false, status: 200, replayed: "true" },
  ])("answer a submission with $status and where the batch is", async (expected) => {
    const seen: unknown[] = [];
    const { app } = createFakeApp({
      batches: {
        submit: async (...input) => {
          seen.push(input);
          return ok({ view: BATCH, isNew: expected.isNew });
        },
      },
    });

    const response = await send(app, "/v1/batches", {
      body: BODY,
      headers: { "Idempotency-Key": "k" },
    });

    expect(response.status).toBe(expected.status);
    expect(response.headers.get("Location")).toBe("/v1/batches/batch_1");
    expect(response.headers.get("Idempotency-Replayed")).toBe(expected.replayed);
    expect(seen).toMatchObject([
      [
        { tenant: "acme" },
        { tasks: [{ priority: "normal" }], batch_options: { execution_mode: "sequential" } },
        { body: BODY, idempotencyKey: "k" },
      ],
    ]);
  });

  it.each(["execute", "observe"])("take no submission of a key that may only %s", async (key) => {
    const { app, calls } = createFakeApp();

    for (const [path, body] of [
      ["/v1/batches", BODY],
      ["/v1/batches/b/cancel", {}],
      ["/v1/requests", GOAL],
      ["/v1/requests/r/cancel", {}],
    ] as const) {
      expect((await send(app, path, { key, body })).status).toBe(403);
    }
    expect(calls).toEqual([]);
  });

  it("show and cancel a batch, and say when there is none", async () => {
    const { app } = createFakeApp({
      batches: {
        view: async (_by, id) =>
          id === "b" ? ok(BATCH) : refuse({ code: "batch_not_found", detail: "none" }),
        cancel: async (_by, _id, reason) =>
          ok({
            ...BATCH,
            stop: { reason: "cancelled", message: String(reason), at: BATCH.created_at },
          }),
      },
    });

    expect((await send(app, "/v1/batches/b", { key: "observe" })).status).toBe(200);
    expect((await send(app, "/v1/batches/c")).status).toBe(404);
    const cancelled = await send(app, "/v1/batches/b/cancel", { body: { reason: "enough" } });
    expect(cancelled.status).toBe(202);
    expect(await cancelled.json()).toMatchObject({ stop: { message: "enough" } });
  });
});

describe("the routes of requests", () => {
  const answering = (view: RequestView, isNew: boolean): Given => ({
    requests: { submit: async () => ok({ view, isNew }) },
  });

  it.each([
    {
      name: "new",
      view: REQUEST,
      isNew: true,
      status: 202,
      location: "/v1/requests/req_1",
      replayed: null,
    },
    {
      name: "known",
      view: REQUEST,
      isNew: false,
      status: 200,
      location: "/v1/requests/req_1",
      replayed: "true",
    },
    { name: "a dry run", view: DRY, isNew: false, status: 200, location: null, replayed: null },
  ])("answer what is $name with $status", async ({ view, isNew, ...expected }) => {
    const { app } = createFakeApp(answering(view, isNew));

    const response = await send(app, "/v1/requests", { body: GOAL });

    expect(response.status).toBe(expected.status);
    expect(response.headers.get("Location")).toBe(expected.location);
    expect(response.headers.get("Idempotency-Replayed")).toBe(expected.replayed);
  });

  it("show and cancel a request", async () => {
    const { app } = createFakeApp({
      requests: { view: async () => ok(REQUEST), cancel: async () => ok(REQUEST) },
    });

    expect((await send(app, "/v1/requests/req_1", { key: "observe" })).status).toBe(200);
    expect((await send(app, "/v1/requests/req_1/cancel", { body: {} })).status).toBe(202);
  });
});
