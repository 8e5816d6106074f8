import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { workersAi } from "../../src/executor/models/provider/workers-ai.ts";
import { doorsOf } from "../../src/services-doors.ts";
import { modelDoorOf, modelsOf } from "../../src/services-models.ts";
import { newModelHost } from "./model-host.ts";
import { recordingDb } from "./recording-db.ts";
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

const tenantName = () => `models-${crypto.randomUUID().slice(0, 8)}`;

const QUESTION = {
  model_id: "large",
  system: "You answer.",
  turns: [{ role: "user" as const, text: "How much?" }],
  output_schema: null,
  tools: [],
  max_tool_rounds: 0,
  max_output_tokens: 100,
  temperature: 0,
  timeout_ms: 5_000,
  idempotency_key: "t1.a1.s1",
  signal: new AbortController().signal,
};

describe("the door to models", () => {
  it("knows those that are enabled, and asks them", async () => {
    const tenant = tenantName();
    const as = await newTenant(tenant);
    const host = newModelHost();
    await host.script({ "scripted-1": [{ text: "A hundred." }] });
    await as("PUT", "/v1/models/large", registration(host.base_url));
    await as("PUT", "/v1/models/off", { ...registration(host.base_url), is_enabled: false });
    const door = modelDoorOf(env);

    const [catalogue, answer, off, none, foreign] = [
      await door.catalogue(tenant),
      await door.generate(tenant, QUESTION),
      await door.generate(tenant, { ...QUESTION, model_id: "off" }),
      await door.generate(tenant, { ...QUESTION, model_id: "none" }),
      await door.generate("default", QUESTION),
    ];

    expect(catalogue.map(({ model_id }) => model_id)).toEqual(["large"]);
    expect(answer).toMatchObject({ ok: true, value: { text: "A hundred." } });
    expect([off, none, foreign]).toMatchObject(
      Array(3).fill({ ok: false, refusal: { class: "rejected", status: null } }),
    );
    expect(await host.asked()).toHaveLength(1);
  });

  it("needs no database for a while once it knows a tenant's models", async () => {
    const tenant = tenantName();
    const recording = recordingDb(env.DB);
    const door = modelDoorOf({ ...env, DB: recording.db });

    await door.catalogue(tenant);
    await door.catalogue(tenant);

    expect(recording.trips()).toBe(1);
  });

  it("has the installation's models for every tenant, which nobody can take over or see the key of", async () => {
    const host = newModelHost();
    const variables = {
      ...env,
      BATUTA_MODELS: JSON.stringify({ house: registration(host.base_url) }),
    };
    const { door, catalogue } = modelsOf(variables);
    const given = {
      registration: doorsOf(variables).config.models["house"],
      origin: "https://b.test",
    };

    const [listed, answer, put, removed] = [
      await catalogue.list("anyone", { limit: 50 }),
      await door.generate("anyone", { ...QUESTION, model_id: "house" }),
      given.registration &&
        (await catalogue.put("anyone", "house", { ...given, registration: given.registration })),
      await catalogue.remove("anyone", "house"),
    ];

    expect(listed.items).toMatchObject([
      { model_id: "builtin" },
      { model_id: "house", source: "configuration", has_api_key: true, updated_at: null },
    ]);
    expect(JSON.stringify(listed)).not.toContain(API_KEY);
    expect(answer).toMatchObject({ ok: true });
    expect((await host.asked())[0]?.headers["authorization"]).toBe(`Bearer ${API_KEY}`);
    expect([put, removed]).toMatchObject(
      Array(2).fill({ ok: false, refusal: { code: "model_refused" } }),
    );
  });

  it("asks models of Workers AI where there is its binding, and lists them as unusable where not", async () => {
    const asked: unknown[] = [];
    // Nothing simulates the binding: this one answers as its documentation says.
    const AI = {
      run: async (model: string, inputs: { stream?: boolean }) => {
        asked.push([model, inputs.stream]);
        const parts = [
          { response: "A hundred." },
          { response: "", usage: { prompt_tokens: 9, completion_tokens: 3 } },
        ];
        const text = parts.map((part) => `data: ${JSON.stringify(part)}\n\n`).join("");
        return new Response(`${text}data: [DONE]\n\n`).body;
      },
    };
    const binding = AI as unknown as Ai;
    const model = {
      provider: "workers_ai",
      name: "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
      locality: "api",
      context_tokens: 24_000,
      price: { input_usd_per_mtok: 1, output_usd_per_mtok: 1 },
    };
    const BATUTA_MODELS = JSON.stringify({ cf: model });
    const deployed = { ...env, BATUTA_MODELS, AI: binding };
    const local = { ...env, BATUTA_MODELS };
    const question = { ...QUESTION, model_id: "cf" };

    const answer = await modelDoorOf(deployed).generate("anyone", question);
    const refused = await modelDoorOf(local).generate("anyone", question);

    expect(answer).toMatchObject({
      ok: true,
      value: {
        text: "A hundred.",
        usage: { input_tokens: 9, output_tokens: 3, cost_usd: 0.000012 },
      },
    });
    expect(asked).toEqual([[model.name, true]]);
    expect(workersAi(binding)(model.name)).toMatchObject({ modelId: model.name });
    expect(refused).toMatchObject({ ok: false, refusal: { class: "rejected" } });
    expect(await modelDoorOf(local).catalogue("anyone")).toEqual([]);
    const listed = await modelsOf(local).catalogue.list("anyone", { limit: 50 });
    expect(listed.items[1]?.unusable_reason).toContain("binding AI");
  });
});
