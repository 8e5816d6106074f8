import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

describe("health", () => {
  it("answers without a key and without asking anything", async () => {
    const { app, calls } = createFakeApp();

    const response = await send(app, "/health", { key: null });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok" });
    expect(calls).toEqual([]);
  });

  it.each([
    [true, 200, "ready"],
    [false, 503, "unavailable"],
  ])("says whether everything answers (%s)", async (isReady, code, status) => {
    const dependencies = { d1: isReady ? "ok" : "timed out" };
    const { app } = createFakeApp({ health: { ready: async () => ({ isReady, dependencies }) } });

    const response = await send(app, "/health/ready", { key: null });

    expect(response.status).toBe(code);
    expect(await response.json()).toEqual({ status, dependencies });
  });

  const letter = {
    id: "dl_1",
    received_at: "2026-11-22T10:00:00.000Z",
    queue: "batuta-events",
    reason: "no JSON",
    body: "{",
  };

  it("shows dead letters to whom the room shows them", async () => {
    let asked = "";
    const { app } = createFakeApp({
      health: {
        deadLetters: async (by) => {
          asked = by.key_id;
          return ok({ items: [letter], next_cursor: null });
        },
      },
    });

    const response = await send(app, "/v1/dead-letters", { key: "observe" });

    expect(await response.json()).toEqual({ items: [letter], next_cursor: null });
    expect(asked).toBe("key_observe");
  });

  it("says that a cursor of another list was in the query", async () => {
    const errors = [{ pointer: "/cursor", code: "custom", detail: "is not a cursor of this list" }];
    const { app } = createFakeApp({
      health: {
        deadLetters: async () => refuse({ code: "validation_failed", detail: "cursor", errors }),
      },
    });

    const response = await send(app, "/v1/dead-letters?cursor=x");

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ pointer: "/query/cursor" }] });
  });
});
