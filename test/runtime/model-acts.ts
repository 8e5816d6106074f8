import { randomId } from "../../src/lib/ports.ts";
import { call } from "./batuta.ts";
import { newModelHost } from "./model-host.ts";

const MODEL = {
  provider: "openai_compatible",
  base_url: newModelHost().base_url,
  locality: "api",
  context_tokens: 8_000,
};

async function model(): Promise<string> {
  const model_id = `audited-${randomId()}`;
  await call("PUT", `/v1/models/${model_id}`, MODEL);
  return model_id;
}

/**
 * What is done to models, for the audit of each route.
 *
 * @param canary stands wherever no entry may repeat something
 */
export const modelActs = (canary: string) => ({
  put_model: async () => {
    const model_id = `audited-${randomId()}`;
    return {
      method: "PUT",
      path: `/v1/models/${model_id}`,
      body: { ...MODEL, base_url: `${MODEL.base_url}/${canary}`, api_key: canary },
      subject: model_id,
      detail: {
        provider: "openai_compatible",
        asked_at: "https://models.test/…",
        has_api_key: true,
        is_enabled: true,
      },
    };
  },
  delete_model: async () => {
    const model_id = await model();
    return { method: "DELETE", path: `/v1/models/${model_id}`, subject: model_id };
  },
  test_model: async () => {
    const model_id = await model();
    return {
      method: "POST",
      path: `/v1/models/${model_id}/test`,
      body: {},
      subject: model_id,
      detail: { is_ok: true },
    };
  },
});
