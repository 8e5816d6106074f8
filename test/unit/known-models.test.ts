import { describe, expect, it } from "vitest";

import { createKnownModels } from "../../src/executor/models/registry/known-models.ts";
import type { StoredModel } from "../../src/executor/models/registry/known-models.ts";
import { keyOwner } from "../../src/executor/models/registry/model-keys.ts";
import { BUILTIN_MODEL } from "../../src/executor/models/registry/models.ts";
import { catalogueModelSchema, modelRegistrationSchema } from "../../src/protocol/model.ts";

const REGISTRATION = modelRegistrationSchema.parse({
  provider: "openai_compatible",
  base_url: "https://models.example/v1",
  locality: "api",
  context_tokens: 8_000,
});

const stored = (model_id: string): StoredModel => ({
  model_id,
  registration: REGISTRATION,
  api_key: null,
  updated_at: "2026-11-22T10:00:00.000Z",
});

function known(configured = {}) {
  const world = { now: 0, reads: 0, isDown: false, models: [stored("b")], logged: [] as string[] };
  const catalogue = createKnownModels({
    now: () => world.now,
    log: (_level, event) => void world.logged.push(event),
    list: async () => {
      world.reads += 1;
      if (world.isDown) throw new Error("down");
      return world.models;
    },
    configured,
    hasWorkersAi: false,
  });
  const names = async (isFresh = false) =>
    (isFresh ? await catalogue.stored("acme") : (await catalogue.atHand("acme")).models).map(
      ({ model }) => model.model_id,
    );
  return { world, catalogue, names };
}

describe("models that are known", () => {
  it("are read again after five seconds, when they were changed here, or for who asks for what is stored", async () => {
    const { world, catalogue, names } = known();

    await names();
    world.now = 4_999;
    await names();
    expect(world.reads).toBe(1);
    await names(true);
    expect(world.reads).toBe(2);
    world.now = 9_999;
    await names();
    expect(world.reads).toBe(3);
    catalogue.forget("acme");
    await names();
    expect(world.reads).toBe(4);
  });

  it("stay known for ten minutes while they can't be read, but not to who asks for what is stored", async () => {
    const { world, catalogue, names } = known({ house: REGISTRATION });
    await names();
    world.isDown = true;

    world.now = 604_999;
    expect(await names()).toEqual(["b", "house"]);
    await expect(names(true)).rejects.toThrow("down");
    world.now = 605_000;
    expect(await catalogue.atHand("acme")).toMatchObject({ isWhole: false });
  });

  it("are the installation's own where they can't be read and nobody remembers them, until they can", async () => {
    const { world, catalogue, names } = known({ house: REGISTRATION });
    world.isDown = true;

    expect(await catalogue.atHand("acme")).toMatchObject({
      models: [{ model: { model_id: "house" } }],
      isWhole: false,
    });
    expect(world.logged).toEqual(["models_not_read"]);
    world.isDown = false;
    expect(await names()).toEqual(["b", "house"]);
  });

  it("are in the order of their names, the installation's own before a tenant's of the same name", async () => {
    const { world, catalogue, names } = known({ b: { ...REGISTRATION, tier: 5 }, z: REGISTRATION });
    world.models = [stored("a"), stored("b"), stored("c")];

    expect(await names()).toEqual(["a", "b", "c", "z"]);
    expect((await catalogue.stored("acme"))[1]?.model).toMatchObject({
      tier: 5,
      source: "configuration",
      name: "b",
    });
  });

  it("are told from the built-in skills, which cost nothing", () => {
    expect(catalogueModelSchema.parse(BUILTIN_MODEL)).toMatchObject({
      source: "builtin",
      price: { input_usd_per_mtok: 0, output_usd_per_mtok: 0 },
    });
    expect(keyOwner("acme", "b")).not.toBe(keyOwner("other", "b"));
  });
});
