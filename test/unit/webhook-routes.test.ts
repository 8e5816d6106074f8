import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { DeliveryView } from "../../src/protocol/webhook.ts";
import { createFakeApp, send, WEBHOOK_VIEW } from "./rest-fakes.ts";

const AT = "2026-11-22T10:00:00.000Z";
const SECRET = `whsec_${"A".repeat(32)}`;
const PATH = `/v1/webhooks/${WEBHOOK_VIEW.webhook_id}`;

const DELIVERY: DeliveryView = {
  delivery_id: "dlvw_1",
  webhook_id: WEBHOOK_VIEW.webhook_id,
  message_id: "msg_1",
  task_id: "t1",
  seq: 3,
  prev_seq: null,
  type: "task_progress",
  priority: "low",
  state: "delivered",
  attempts_made: 1,
  next_attempt_at: null,
  created_at: AT,
  delivered_at: AT,
  delay_reason: null,
};

describe("endpoints", () => {
  it("are created with 201, their address and their secret", async () => {
    let registered: unknown;
    const { app } = createFakeApp({
      webhooks: {
        create: async (_by, registration) => {
          registered = registration;
          return ok({ ...WEBHOOK_VIEW, secret: SECRET });
        },
      },
    });

    const response = await send(app, "/v1/webhooks", { body: { url: "https://example.com/hook" } });

    expect(response.status).toBe(201);
    expect(response.headers.get("Location")).toBe(PATH);
    expect(registered).toMatchObject({ events: ["all"], ordering: "task", timeout: 15 });
    expect(await response.json()).toMatchObject({ secret: SECRET });
  });

  it("are refused with a pointer when the url is not public", async () => {
    const { app } = createFakeApp({
      webhooks: {
        create: async () =>
          refuse({
            code: "endpoint_refused",
            detail: "not public",
            errors: [{ pointer: "/url", code: "endpoint_refused", detail: "loopback" }],
          }),
      },
    });

    const response = await send(app, "/v1/webhooks", { body: { url: "http://127.0.0.1" } });

    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ errors: [{ pointer: "/url" }] });
  });

  it("are read, listed, changed and removed", async () => {
    let patch: unknown;
    const { app } = createFakeApp({
      webhooks: {
        get: async () => ok(WEBHOOK_VIEW),
        list: async () => ({ items: [WEBHOOK_VIEW], next_cursor: null }),
        patch: async (_by, _id, given) => {
          patch = given;
          return ok(WEBHOOK_VIEW);
        },
        remove: async () => ok(null),
      },
    });

    const changed = await send(app, PATH, { method: "PATCH", body: { timeout: 3 } });

    expect(changed.status).toBe(200);
    // What was not given has no default here, or it would be reset.
    expect(patch).toEqual({ timeout: 3 });
    expect(await (await send(app, PATH)).json()).toEqual(WEBHOOK_VIEW);
    expect((await send(app, "/v1/webhooks?limit=1")).status).toBe(200);
    expect((await send(app, PATH, { method: "DELETE" })).status).toBe(204);
  });

  it("keep their secret out of a change", async () => {
    const { app, calls } = createFakeApp();

    const response = await send(app, PATH, { method: "PATCH", body: { secret: SECRET } });

    expect(response.status).toBe(400);
    expect(calls).toEqual([]);
  });

  it("are paused and resumed with 202", async () => {
    const states: boolean[] = [];
    const { app } = createFakeApp({
      webhooks: {
        setPaused: async (_by, _id, isPaused) => {
          states.push(isPaused);
          return ok(WEBHOOK_VIEW);
        },
      },
    });

    const paused = await send(app, `${PATH}/pause`, { method: "POST" });
    const resumed = await send(app, `${PATH}/resume`, { method: "POST" });

    expect([paused.status, resumed.status]).toEqual([202, 202]);
    expect(states).toEqual([true, false]);
  });

  it("rotate their secret with a day of overlap unless told otherwise", async () => {
    const overlaps: number[] = [];
    const { app } = createFakeApp({
      webhooks: {
        rotateSecret: async (_by, _id, overlap) => {
          overlaps.push(overlap);
          return ok({ ...WEBHOOK_VIEW, secret: SECRET });
        },
      },
    });

    const response = await send(app, `${PATH}/rotate-secret`, { method: "POST" });
    await send(app, `${PATH}/rotate-secret`, { body: { overlap_seconds: 60 } });

    expect(response.status).toBe(200);
    expect(overlaps).toEqual([86_400, 60]);
  });

  it("are tested with 202 and a delivery to watch", async () => {
    const { app } = createFakeApp({ webhooks: { test: async () => ok(DELIVERY) } });

    const response = await send(app, `${PATH}/test`, { method: "POST" });

    expect(response.status).toBe(202);
    expect(await response.json()).toEqual(DELIVERY);
  });
});

describe("deliveries", () => {
  it("are listed by state and task", async () => {
    let query: unknown;
    const { app } = createFakeApp({
      webhooks: {
        deliveries: async (_tenant, _id, asked) => {
          query = asked;
          return ok({ items: [DELIVERY], next_cursor: null });
        },
      },
    });

    await send(app, `${PATH}/deliveries?state=exhausted&task_id=t1`);

    expect(query).toEqual({ state: "exhausted", task_id: "t1", limit: 50 });
  });

  it("show their attempts one by one", async () => {
    const attempts = [
      {
        attempt: 1,
        trigger: "scheduled" as const,
        due_at: AT,
        started_at: AT,
        duration_ms: 12,
        status_code: 200,
        error_class: null,
        response_body: "ok",
        level: 0,
      },
    ];
    const { app } = createFakeApp({
      webhooks: { delivery: async () => ok({ ...DELIVERY, attempts }) },
    });

    expect(await (await send(app, "/v1/deliveries/dlvw_1")).json()).toEqual({
      ...DELIVERY,
      attempts,
    });
  });

  it("are replayed with 202, unless one is on its way", async () => {
    const idle = createFakeApp({ webhooks: { replay: async () => ok(DELIVERY) } });
    const busy = createFakeApp({
      webhooks: { replay: async () => refuse({ code: "delivery_in_flight", detail: "wait" }) },
    });
    const path = "/v1/deliveries/dlvw_1/replay";

    expect((await send(idle.app, path, { method: "POST" })).status).toBe(202);
    expect((await send(busy.app, path, { method: "POST" })).status).toBe(409);
  });
});

describe("the callback secret", () => {
  it("is for admins to read and to rotate", async () => {
    const overlaps: number[] = [];
    const { app } = createFakeApp({
      webhooks: {
        callbackSecret: async () => ({ secret: SECRET }),
        rotateCallbackSecret: async (_tenant, overlap) => {
          overlaps.push(overlap);
          return { secret: SECRET };
        },
      },
    });

    const read = await send(app, "/v1/callback-secret", { key: "admin" });
    const rotated = await send(app, "/v1/callback-secret/rotate", {
      key: "admin",
      body: { overlap_seconds: 0 },
    });

    expect(await read.json()).toEqual({ secret: SECRET });
    expect(rotated.status).toBe(200);
    expect(overlaps).toEqual([0]);
  });
});
