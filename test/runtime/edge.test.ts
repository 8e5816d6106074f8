import { describe, expect, it } from "vitest";

import { accepting, createFakeApp, TASK } from "../unit/rest-fakes.ts";
import { chunked } from "./chunked.ts";

/* What the edge leaves to the platform: request bodies, streams and headers as workerd has them. */

const MEBIBYTE = 1_048_576;

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("https://batuta.test/v1/tasks", {
    method: "POST",
    body,
    headers: { Authorization: "Bearer all", "Content-Type": "application/json", ...headers },
  });
}

describe("the edge in workerd", () => {
  it("takes a task and answers with its ids", async () => {
    const { app } = createFakeApp(accepting);

    const response = await app.fetch(post(JSON.stringify(TASK)));

    expect(response.status).toBe(202);
    expect(response.headers.get("Location")).toBe("/v1/tasks/t1");
    expect(response.headers.get("X-Request-Id")).toBe("generated-id");
  });

  it.each([
    ["declared", () => post("x".repeat(MEBIBYTE + 1))],
    ["chunked", () => post(chunked(3 * MEBIBYTE))],
  ])("refuses a body beyond a mebibyte, %s", async (_what, request) => {
    const { app, calls } = createFakeApp(accepting);

    const response = await app.fetch(request());

    expect(response.status).toBe(413);
    // By memory alone: whose offence it is.
    expect(calls).toEqual(["keys.remembered"]);
  });

  it("refuses what is not UTF-8, and what is no JSON", async () => {
    const { app } = createFakeApp(accepting);

    const bytes = await app.fetch(post(new Uint8Array([0x22, 0xff, 0x22])));
    const text = await app.fetch(post('{"a": tru}'));

    expect(await bytes.json()).toMatchObject({ code: "malformed_json" });
    expect(await text.json()).toMatchObject({ code: "malformed_json", position: 6 });
  });

  it("answers HEAD and a delete without a body", async () => {
    const { app } = createFakeApp({ agents: { remove: async () => ({ ok: true, value: null }) } });
    const headers = { Authorization: "Bearer all" };

    const head = await app.request("/health", { method: "HEAD" });
    const removed = await app.request("/v1/agents/a1", { method: "DELETE", headers });

    expect([head.status, removed.status]).toEqual([200, 204]);
    expect(await head.text()).toBe("");
  });
});
