import { describe, expect, it } from "vitest";

import type { Ask } from "../../src/executor/models/door.ts";
import { createModelDoor } from "../../src/executor/models/door.ts";
import { createKnownModels } from "../../src/executor/models/registry/known-models.ts";
import type { StoredModel } from "../../src/executor/models/registry/known-models.ts";
import { createFinder } from "../../src/executor/models/registry/model-keys.ts";
import { createModels } from "../../src/executor/models/registry/models.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { createSealer } from "../../src/lib/seal.ts";
import { modelRegistrationSchema } from "../../src/protocol/model.ts";
import { question } from "./model-asking.ts";

const API_KEY = "sk-0123456789-that-nobody-may-see";

const registration = (changes: object = {}) =>
  modelRegistrationSchema.parse({
    provider: "openai_compatible",
    base_url: "https://models.example/v1",
    locality: "api",
    context_tokens: 8_000,
    ...changes,
  });

const QUESTION = { ...question(), model_id: "large" };

const USAGE = { input_tokens: 1, output_tokens: 1, cost_usd: 0 };

/** A registry over a store in memory, whose sealing key may be lost. */
function registry() {
  const world = { stored: [] as StoredModel[], isDown: false, isAnswering: true };
  const noted = { logged: [] as string[], forgotten: [] as string[], asked: 0 };
  const sealers = { now: createSealer(["a first key that seals, long enough"]) };
  const sealer = {
    seal: (text: string, owner: string) => sealers.now.seal(text, owner),
    open: (text: string, owner: string) => sealers.now.open(text, owner),
    renew: (text: string, owner: string) => sealers.now.renew(text, owner),
  };
  const log = (_level: string, event: string) => void noted.logged.push(event);
  const store = {
    list: async () => {
      if (world.isDown) throw new Error("down");
      return world.stored;
    },
    put: async (_tenant: string, model: StoredModel) => {
      world.stored = [...world.stored.filter((one) => one.model_id !== model.model_id), model];
    },
    remove: async (_tenant: string, model_id: string) => {
      const before = world.stored.length;
      world.stored = world.stored.filter((one) => one.model_id !== model_id);
      return world.stored.length < before;
    },
  };
  const ask: Ask = async () => {
    noted.asked += 1;
    const nothing = { status: 503, retry_after_ms: null, text: null, duration_ms: 1 };
    if (!world.isAnswering) {
      return refuse({ class: "unavailable", detail: "down", usage: USAGE, ...nothing });
    }
    const said = { text: "OK", value: null, finish_reason: "stop" } as const;
    return ok({ ...said, tools_called: [], usage: USAGE, duration_ms: 1 });
  };
  const known = createKnownModels({
    now: () => 0,
    log,
    list: store.list,
    configured: { house: registration({ base_url: "http://10.0.0.7/gateway/token-1/v1" }) },
    hasWorkersAi: false,
  });
  const models = createModels({
    now: () => 0,
    log,
    newId: () => "1",
    known,
    store,
    sealer,
    addressFault: async () => null,
    hasWorkersAi: false,
    ask,
    forget: async ({ model_id }, what) => void noted.forgotten.push(`${model_id} ${what}`),
  });
  const door = createModelDoor({
    catalogue: async () => [],
    find: createFinder({ known, sealer, log }),
    ask,
  });
  const put = (changes: object = {}, model_id = "large") =>
    models.put("acme", model_id, {
      registration: registration(changes),
      origin: "https://batuta.example",
    });
  const loseKey = () => void (sealers.now = createSealer(["another key that never sealed it all"]));
  return { world, noted, models, door, put, loseKey };
}

describe("a stored key that does not open", () => {
  it("is a fault of its model alone, for tasks and for who tries it out", async () => {
    const { noted, models, door, put, loseKey } = registry();
    await put({ api_key: API_KEY });
    loseKey();

    const answer = await door.generate("acme", QUESTION);
    const tested = await models.test("acme", "large");

    expect(answer).toMatchObject({ ok: false, refusal: { class: "unauthorized", status: null } });
    expect(tested).toMatchObject({
      ok: true,
      value: { is_ok: false, fault: { class: "unauthorized" } },
    });
    expect(await door.generate("acme", { ...QUESTION, model_id: "house" })).toMatchObject({
      ok: true,
    });
    expect(noted).toMatchObject({ asked: 1, logged: Array(2).fill("model_key_unreadable") });
  });

  it("is refused where a change would keep it, and replaced where it is given", async () => {
    const { world, door, put, loseKey } = registry();
    await put({ api_key: API_KEY });
    loseKey();
    const before = world.stored;

    expect(await put({ tier: 5 })).toMatchObject({
      ok: false,
      refusal: { code: "model_refused", errors: [{ pointer: "/api_key" }] },
    });
    expect(world.stored).toBe(before);
    expect(await put({ tier: 5, api_key: API_KEY })).toMatchObject({ ok: true });
    expect(await door.generate("acme", QUESTION)).toMatchObject({ ok: true });
  });
});

describe("a catalogue that can't be read", () => {
  it("leaves the installation's models, and is a fault that may pass for the others", async () => {
    const { world, door } = registry();
    world.isDown = true;

    expect(await door.generate("acme", { ...QUESTION, model_id: "house" })).toMatchObject({
      ok: true,
    });
    expect(await door.generate("acme", QUESTION)).toMatchObject({
      ok: false,
      refusal: { class: "unavailable", silent_ms: 0 },
    });
  });
});

describe("a model of the installation", () => {
  it("is shown to tenants without its address", async () => {
    const { models, put } = registry();
    await put();

    const [listed, read] = [
      await models.list("acme", { limit: 50 }),
      await models.get("acme", "house"),
    ];

    expect(JSON.stringify([listed, read])).not.toContain("10.0.0.7");
    expect(listed.items).toMatchObject([
      { model_id: "builtin" },
      { model_id: "house", name: "house" },
      { model_id: "large", base_url: "https://models.example/v1" },
    ]);
  });
});

describe("what was learned of a model", () => {
  it("is its outage alone where it was changed, or answers", async () => {
    const { world, noted, models, put } = registry();
    await put({ api_key: API_KEY });
    expect(noted.forgotten).toEqual([]);

    await put({ base_url: "https://elsewhere.example/v1", api_key: API_KEY });
    await models.test("acme", "large");
    world.isAnswering = false;
    await models.test("acme", "large");

    expect(noted.forgotten).toEqual(["large outage", "large outage"]);
  });

  it("is all of it where its name stands for another model, or for none", async () => {
    const { noted, models, put } = registry();
    await put({ name: "one" });

    await put({ name: "another" });
    await models.remove("acme", "large");
    await models.remove("acme", "large");
    await models.remove("acme", "house");

    expect(noted.forgotten).toEqual(["large all", "large all"]);
  });
});
