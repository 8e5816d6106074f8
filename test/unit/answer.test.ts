import { describe, expect, it } from "vitest";

import { ok } from "../../src/lib/result.ts";
import type { Given } from "./rest-fakes.ts";
import { createFakeApp, send, TASK_VIEW } from "./rest-fakes.ts";

/** A bug in a room: what it gives back breaks its type. */
const broken = (value: unknown): Given => ({
  tasks: { view: async () => ok(value as typeof TASK_VIEW) },
});

describe("answers", () => {
  it.each<[what: string, value: unknown, path: string]>([
    ["a missing field", { ...TASK_VIEW, status: undefined }, "/status"],
    ["a value outside its set", { ...TASK_VIEW, status: "exploded" }, "/status"],
    ["a field that nobody declared", { ...TASK_VIEW, lease_token: "tok-123" }, "/"],
    [
      "a wrong type deep inside",
      { ...TASK_VIEW, usage: { ...TASK_VIEW.usage, tokens: "7" } },
      "/usage/tokens",
    ],
    ["nothing", undefined, "/"],
  ])("do not leave with %s", async (_what, value, path) => {
    const { app, lines } = createFakeApp(broken(value));

    const response = await send(app, "/v1/tasks/t1");

    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: "internal_error", request_id: "generated-id" });
    expect(text).not.toMatch(/exploded|tok-123/);
    const line = lines.find(({ event }) => event === "answer_invalid");
    expect(line).toMatchObject({ level: "error", request_id: "generated-id" });
    expect(line?.["paths"]).toContain(path);
    expect(JSON.stringify(line)).not.toMatch(/exploded|tok-123/);
  });

  it("leave as they are when they keep their shape", async () => {
    const { app } = createFakeApp(broken(TASK_VIEW));

    const response = await send(app, "/v1/tasks/t1");

    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("application/json");
    expect(await response.json()).toEqual(TASK_VIEW);
  });

  it("have no body and no type when none is declared", async () => {
    const { app } = createFakeApp({ agents: { remove: async () => ok(null) } });

    const response = await send(app, "/v1/agents/a1", { method: "DELETE" });

    expect(response.status).toBe(204);
    expect(response.headers.get("Content-Type")).toBeNull();
    expect(await response.text()).toBe("");
  });
});
