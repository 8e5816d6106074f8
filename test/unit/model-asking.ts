import { afterAll, beforeAll } from "vitest";

import type { ModelRequest } from "../../src/executor/models/model-port.ts";
import { createAsk } from "../../src/executor/models/provider/ask.ts";
import { catalogueModelSchema } from "../../src/protocol/model.ts";
import type { CatalogueModel } from "../../src/protocol/model.ts";
import { outputFaults } from "../../src/task/machine/output-schema.ts";
import type { ModelReply } from "../model-script.ts";
import { ModelServer } from "../model-server.ts";

/* Models that answer by a script over real HTTP, asked through the real providers. */

/** What no fault may show. */
export const KEY = "sk-a-key-that-nobody-may-see";

/** Starts a server for the tests of a file. */
export function modelHost() {
  const server = new ModelServer();
  let mailboxes = 0;
  beforeAll(async () => void (await server.url()));
  afterAll(() => server.stop());
  /** A model that answers by a script, and what it was asked. */
  return (replies: ModelReply[] = [], fields: Partial<CatalogueModel> = {}) =>
    scripted(server, `m${(mailboxes += 1)}`, { replies, fields });
}

async function scripted(
  server: ModelServer,
  id: string,
  { replies, fields }: { replies: ModelReply[]; fields: Partial<CatalogueModel> },
) {
  server.script(id, { "*": replies });
  const model = modelAsked({ base_url: await server.baseUrl(id), ...fields });
  const ask = askWith(createAsk);
  return {
    base_url: model.base_url ?? "",
    ask: (changes: Partial<ModelRequest> = {}) =>
      ask({ model, api_key: KEY }, { ...question(), ...changes }),
    asked: () => server.asked(id),
  };
}

/** A model of the catalogue at an address. */
export function modelAsked(fields: Partial<CatalogueModel>): CatalogueModel {
  return catalogueModelSchema.parse({
    model_id: "m",
    name: "scripted-1",
    provider: "openai_compatible",
    locality: "local",
    context_tokens: 8_000,
    price: { input_usd_per_mtok: 1, output_usd_per_mtok: 10 },
    has_api_key: true,
    source: "api",
    updated_at: null,
    ...fields,
  });
}

/** Asks models over the network of this machine. @param create from the source, or from what is built of it */
export function askWith(create: typeof createAsk) {
  return create({
    now: () => Date.now(),
    get: (url, init) => fetch(url, init),
    addressFault: async (url) => (url.includes("forbidden") ? "must be public" : null),
    workersAi: null,
    judge: (schema, value) =>
      outputFaults(schema, value).map((fault) => ({
        ...fault,
        pointer: fault.pointer.replace("/data/result", ""),
      })),
    limits: { maxBytes: 300_000, idleMs: 150 },
  });
}

/** A plain question. */
export function question(): Omit<ModelRequest, "model_id"> {
  return {
    system: "You answer.",
    turns: [{ role: "user" as const, text: "How much?" }],
    output_schema: null,
    tools: [],
    max_tool_rounds: 0,
    max_output_tokens: 500,
    temperature: 0,
    timeout_ms: 5_000,
    idempotency_key: "t1.a1.s1",
    signal: new AbortController().signal,
  };
}

export const USAGE = { prompt_tokens: 1_000, completion_tokens: 200 };

/** A schema that asks for one number. */
export const NUMBER = {
  type: "object",
  properties: { amount: { type: "number" } },
  required: ["amount"],
  additionalProperties: false,
};
