import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { item, letPass, newEndpoint, START } from "./endpoints.ts";

const UP = { status: 200 };

describe("what an endpoint's answers do", () => {
  it("are not followed when they redirect", async () => {
    const [endpoint, other] = [await newEndpoint(), await newEndpoint()];
    await endpoint.receiver.script([{ status: 302, headers: { location: other.receiver.url } }]);
    await endpoint.enqueue(item("t", 1));

    await endpoint.send();

    expect(await other.arrived()).toEqual([]);
    expect(await endpoint.delivery("t", 1)).toMatchObject({
      state: "retrying",
      attempts: [{ status_code: 302, error_class: "redirect" }],
    });
  });

  it("disable the endpoint with 410: this one is cancelled, later ones are held", async () => {
    const endpoint = await newEndpoint();
    await env.DB.prepare(
      `INSERT INTO webhook (tenant, webhook_id, registration, secrets, state, version, created_at)
       VALUES ('default', ?, '{}', '[]', 'active', 1, '')`,
    )
      .bind(endpoint.config.webhook_id)
      .run();
    await endpoint.receiver.script([{ status: 410 }]);
    await endpoint.enqueue(item("t", 1), item("t", 2));

    await endpoint.send();
    await endpoint.enqueue(item("u", 1));
    await endpoint.send();

    expect(await endpoint.arrived()).toEqual(["t:1"]);
    expect(await endpoint.delivery("t", 1)).toMatchObject({
      state: "cancelled",
      delay_reason: "endpoint_gone",
    });
    expect(await endpoint.delivery("t", 2)).toMatchObject({ state: "held" });
    expect(await endpoint.delivery("u", 1)).toMatchObject({ delay_reason: "endpoint_disabled" });
    const row = await env.DB.prepare("SELECT state, version FROM webhook WHERE webhook_id = ?")
      .bind(endpoint.config.webhook_id)
      .first();
    expect(row).toEqual({ state: "disabled", version: 2 });
    const audit = await env.DB.prepare("SELECT actor, action FROM audit WHERE subject = ?")
      .bind(endpoint.config.webhook_id)
      .all();
    expect(audit.results).toEqual([
      { actor: "system", action: "level_changed" },
      { actor: "system", action: "webhook_disabled" },
    ]);
  });

  it.each([
    ["seconds", "3600"],
    ["a date", new Date(START + 3_600_000).toUTCString()],
  ])("pause the whole endpoint with Retry-After in %s", async (_form, header) => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 429, headers: { "retry-after": header } }, UP]);
    await endpoint.enqueue(item("a", 1));
    await endpoint.send();

    await endpoint.enqueue(item("b", 1));
    await endpoint.evict();
    await letPass(endpoint, 3_599_000, 599_000);
    const during = await endpoint.arrived();
    const waiting = await endpoint.delivery("b", 1);
    await letPass(endpoint, 3_600_000, 3_600_000);

    expect(during).toEqual(["a:1"]);
    expect(waiting).toMatchObject({
      delay_reason: "retry_after",
      next_attempt_at: new Date(START + 3_600_000).toISOString(),
    });
    expect((await endpoint.arrived()).toSorted()).toEqual(["a:1", "a:1", "b:1"]);
  });

  it("are kept up to a thousand characters", async () => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 500, body: "é".repeat(200_000) }]);
    await endpoint.enqueue(item("t", 1));

    await endpoint.send();

    const [attempt] = (await endpoint.delivery("t", 1)).attempts ?? [];
    expect(attempt?.response_body).toBe("é".repeat(1_000));
  });

  it("count as a timeout when they do not come in time", async () => {
    const endpoint = await newEndpoint({ timeout: 1 });
    await endpoint.receiver.script([{ delay_ms: 1_500 }]);
    await endpoint.enqueue(item("t", 1));

    await endpoint.send();

    expect(await endpoint.delivery("t", 1)).toMatchObject({
      state: "retrying",
      attempts: [{ status_code: null, error_class: "timeout" }],
    });
  });
});
