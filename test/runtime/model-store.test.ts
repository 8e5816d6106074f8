import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { createModelStore } from "../../src/executor/models/registry/model-store.ts";
import { storedModelSchema } from "../../src/protocol/model.ts";
import { fullScans, planOf, recordingDb } from "./recording-db.ts";

const registration = storedModelSchema.parse({
  provider: "openai_compatible",
  base_url: "https://models.example/v1",
  locality: "api",
  context_tokens: 8_000,
});

const model = (model_id: string) => ({
  model_id,
  registration,
  api_key: null,
  updated_at: "2026-11-22T10:00:00.000Z",
});

describe("models in D1", () => {
  it("are a tenant's own, in order, replaced as a whole, and found without a scan", async () => {
    const recording = recordingDb(env.DB);
    const store = createModelStore(recording.db);
    const tenant = `store-${crypto.randomUUID().slice(0, 8)}`;

    await store.put(tenant, model("b"));
    await store.put(tenant, model("a"));
    await store.put(tenant, { ...model("b"), api_key: "sealed.v1.x" });
    await store.put(`${tenant}-other`, model("c"));

    expect(await store.list(tenant)).toEqual([
      model("a"),
      { ...model("b"), api_key: "sealed.v1.x" },
    ]);
    expect([await store.remove(tenant, "a"), await store.remove(tenant, "a")]).toEqual([
      true,
      false,
    ]);
    for (const statement of recording.sent) {
      // oxlint-disable-next-line no-await-in-loop
      expect(fullScans(await planOf(env.DB, statement))).toEqual([]);
    }
  });
});
