import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { CatalogueModel, ModelTest } from "../../src/protocol/model.ts";
import { call, type Answered } from "./batuta.ts";
import { newModelHost } from "./model-host.ts";
import { newTenant } from "./tenant.ts";

const API_KEY = "sk-0123456789-that-nobody-may-see";

const registration = (base_url: string) => ({
  provider: "openai_compatible",
  base_url,
  name: "scripted-1",
  locality: "api",
  context_tokens: 8_000,
  price: { input_usd_per_mtok: 1, output_usd_per_mtok: 10 },
  api_key: API_KEY,
});

type Problem = { code: string; detail: string; errors?: { pointer: string; detail: string }[] };

const tenantName = () => `models-${crypto.randomUUID().slice(0, 8)}`;
const own = () => newTenant(tenantName());

describe("the catalogue of models", () => {
  it("has the built-in executor's skills, and what a tenant registers, without its key", async () => {
    const as = await own();
    const { base_url } = newModelHost();

    const made = await as<CatalogueModel>(
      "PUT",
      "/v1/models/vendor%2Flarge-1",
      registration(base_url),
    );
    const listed = await as<{ items: CatalogueModel[] }>("GET", "/v1/models");
    const read = await as<CatalogueModel>("GET", "/v1/models/vendor%2Flarge-1");

    expect(made).toMatchObject({
      status: 200,
      body: {
        model_id: "vendor/large-1",
        name: "scripted-1",
        has_api_key: true,
        source: "api",
        tier: 3,
        is_enabled: true,
      },
    });
    expect(listed.body.items.map(({ model_id }) => model_id)).toEqual([
      "builtin",
      "vendor/large-1",
    ]);
    expect(read.body).toEqual(made.body);
    expect(JSON.stringify([made, listed, read])).not.toContain(API_KEY);
  });

  it("comes in pages", async () => {
    const as = await own();
    const { base_url } = newModelHost();
    await as("PUT", "/v1/models/a", registration(base_url));
    await as("PUT", "/v1/models/z", registration(base_url));

    const first = await as<{ next_cursor: string }>("GET", "/v1/models?limit=2");
    const second = await as("GET", `/v1/models?limit=2&cursor=${first.body.next_cursor}`);

    expect(first.body).toMatchObject({ items: [{ model_id: "a" }, { model_id: "builtin" }] });
    expect(second.body).toMatchObject({ items: [{ model_id: "z" }], next_cursor: null });
  });

  it("keeps a key sealed, in nobody else's place, and sends it to the model alone", async () => {
    const as = await own();
    const host = newModelHost();
    await as("PUT", "/v1/models/large", registration(host.base_url));

    const row = await env.DB.prepare("SELECT * FROM model WHERE api_key IS NOT NULL").all();
    await as("POST", "/v1/models/large/test", {});

    expect(JSON.stringify(row.results)).not.toContain(API_KEY);
    expect(row.results[0]?.["api_key"]).toMatch(/^sealed\.v1\./);
    expect((await host.asked())[0]?.headers["authorization"]).toBe(`Bearer ${API_KEY}`);
  });

  it("keeps the key through a change that does not name it, while the address stays", async () => {
    const as = await own();
    const host = newModelHost();
    const { api_key: _, ...rest } = registration(host.base_url);
    await as("PUT", "/v1/models/large", registration(host.base_url));

    const changed = await as("PUT", "/v1/models/large", { ...rest, tier: 5 });
    await as("POST", "/v1/models/large/test", {});
    const elsewhere = await as("PUT", "/v1/models/large", {
      ...rest,
      base_url: newModelHost().base_url,
    });
    const removed = await as("PUT", "/v1/models/large", { ...rest, api_key: null });

    expect(changed.body).toMatchObject({ tier: 5, has_api_key: true });
    expect((await host.asked())[0]?.headers["authorization"]).toBe(`Bearer ${API_KEY}`);
    expect(elsewhere.body).toMatchObject({ has_api_key: false });
    expect(removed.body).toMatchObject({ has_api_key: false });
  });

  it("forgets what is deleted", async () => {
    const as = await own();
    await as("PUT", "/v1/models/large", registration(newModelHost().base_url));

    const [gone, again, read] = [
      await as("DELETE", "/v1/models/large"),
      await as("DELETE", "/v1/models/large"),
      await as("GET", "/v1/models/large"),
    ];

    expect(gone.status).toBe(204);
    expect([again, read]).toMatchObject([
      { status: 404, body: { code: "model_not_found" } },
      { status: 404, body: { code: "model_not_found" } },
    ]);
  });

  it.each<[string, object, string, string]>([
    ["an inner address", { base_url: "https://10.0.0.7/v1" }, "endpoint_refused", "/base_url"],
    [
      "a name with an inner address",
      { base_url: "https://private.dns.test/v1" },
      "endpoint_refused",
      "/base_url",
    ],
    ["plain http", { base_url: "http://models.test/v1" }, "endpoint_refused", "/base_url"],
    ["Batuta itself", { base_url: "https://batuta.test/v1" }, "endpoint_refused", "/base_url"],
    [
      "credentials in it",
      { base_url: "https://a:b@models.test/v1" },
      "validation_failed",
      "/base_url",
    ],
    ["a query", { base_url: "https://models.test/v1?key=1" }, "validation_failed", "/base_url"],
    ["no address", { base_url: undefined }, "validation_failed", "/base_url"],
    ["an unknown field", { apikey: "sk-1" }, "validation_failed", "/apikey"],
    ["a context of nothing", { context_tokens: 0 }, "validation_failed", "/context_tokens"],
    ["Workers AI, which is not here", { provider: "workers_ai" }, "model_refused", "/provider"],
  ])("refuses %s, and writes nothing", async (_what, change, code, pointer) => {
    const as = await own();
    const body = { ...registration(newModelHost().base_url), ...change };

    const answer = await as<Problem>("PUT", "/v1/models/x", body);

    expect(answer.body).toMatchObject({ code, errors: [{ pointer }] });
    expect(await as("GET", "/v1/models/x")).toMatchObject({ status: 404 });
  });

  it("lets nobody take, remove or try the name of the built-in skills", async () => {
    const as = await own();

    const answers = await Promise.all([
      as<Problem>("PUT", "/v1/models/builtin", registration(newModelHost().base_url)),
      as<Problem>("DELETE", "/v1/models/builtin"),
      as<Problem>("POST", "/v1/models/builtin/test", {}),
    ]);

    expect(answers.map(({ body }) => body.code)).toEqual(Array(3).fill("model_refused"));
    expect(await as("GET", "/v1/models/builtin")).toMatchObject({ body: { source: "builtin" } });
  });

  it("ends at a hundred models of a tenant", async () => {
    const tenant = tenantName();
    const as = await newTenant(tenant);
    const { base_url } = newModelHost();
    const { api_key: _, ...stored } = registration(base_url);
    await as("PUT", "/v1/models/m0", registration(base_url));
    await env.DB.batch(
      Array.from({ length: 99 }, (_none, index) =>
        env.DB.prepare("INSERT INTO model VALUES (?, ?, ?, NULL, '2026-11-22T10:00:00.000Z')").bind(
          tenant,
          `n${index}`,
          JSON.stringify(stored),
        ),
      ),
    );

    const [more, change] = [
      await as<Problem>("PUT", "/v1/models/one-more", registration(base_url)),
      await as("PUT", "/v1/models/m0", registration(base_url)),
    ];

    expect(more).toMatchObject({ status: 422, body: { code: "model_refused" } });
    expect(change.status).toBe(200);
  });

  it("is written by an admin alone, and read by those who order and watch", async () => {
    const statuses = await Promise.all(
      (["orchestrate", "observe", "execute"] as const).map(async (scope) => {
        const { body } = await call<{ key: string }>("POST", "/v1/keys", {
          name: scope,
          scopes: [scope],
        });
        const authorization = `Bearer ${body.key}`;
        const put = registration(newModelHost().base_url);
        return [
          (await call("GET", "/v1/models", undefined, { authorization })).status,
          (await call("PUT", "/v1/models/x", put, { authorization })).status,
          (await call("POST", "/v1/models/x/test", {}, { authorization })).status,
        ];
      }),
    );

    expect(statuses).toEqual([
      [200, 403, 403],
      [200, 403, 403],
      [403, 403, 403],
    ]);
  });
});

describe("trying a model out", () => {
  const tried = async (script: object[], change = {}): Promise<Answered<ModelTest>> => {
    const as = await own();
    const host = newModelHost();
    await host.script({ "*": script });
    await as("PUT", "/v1/models/large", { ...registration(host.base_url), ...change });
    return as<ModelTest>("POST", "/v1/models/large/test", {});
  };

  it("tells how long it took and what it cost, of a disabled one too", async () => {
    const usage = { prompt_tokens: 30, completion_tokens: 2 };

    const answer = await tried([{ text: "OK", usage }], { is_enabled: false });

    expect(answer).toMatchObject({
      status: 200,
      body: {
        model_id: "large",
        is_ok: true,
        text: "OK",
        usage: { input_tokens: 30, output_tokens: 2, cost_usd: 0.00005 },
        fault: null,
      },
    });
    expect(answer.body.duration_ms).toBeGreaterThanOrEqual(0);
  });

  it("tells what is wrong, without the key", async () => {
    const body = JSON.stringify({ error: { message: `Incorrect API key: ${API_KEY}` } });

    const answer = await tried([{ status: 401, body }]);

    expect(answer).toMatchObject({
      status: 200,
      body: { is_ok: false, text: null, fault: { class: "unauthorized", status: 401 } },
    });
    expect(JSON.stringify(answer.body)).not.toContain(API_KEY);
  });

  it("ends the pause of a model that answers again", async () => {
    const tenant = tenantName();
    const as = await newTenant(tenant);
    await as("PUT", "/v1/models/large", registration(newModelHost().base_url));
    await env.DB.prepare(
      "INSERT INTO routing_breaker VALUES (?, 'large', 3, 30000, 9e15, 9e15, 1), (?, 'other', 3, 30000, 9e15, 9e15, 1)",
    )
      .bind(tenant, tenant)
      .run();

    await as("POST", "/v1/models/large/test", {});

    const left = await env.DB.prepare("SELECT model_id FROM routing_breaker WHERE tenant = ?")
      .bind(tenant)
      .all();
    expect(left.results).toEqual([{ model_id: "other" }]);
  });

  it("tells what it says, without the key that it echoes", async () => {
    const answer = await tried([{ text: `Bearer ${API_KEY}` }]);

    expect(answer.body).toMatchObject({ is_ok: true, text: "Bearer [api_key]" });
  });
});
