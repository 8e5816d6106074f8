import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

import type { CatalogueModel } from "../../../protocol/model.ts";
import type { ProviderModel } from "./rounds.ts";

/** How the SDK names this provider's own options. */
const PROVIDER = "batuta";

/** Options of the SDK's own: a task's schema is no strict one in OpenAI's sense, which forbids most of JSON Schema. */
export const PROVIDER_OPTIONS = { [PROVIDER]: { strictJsonSchema: false } };

/** A model behind any server that speaks OpenAI's chat completions. */
export function openAiCompatible(
  { name, base_url = "", capabilities, max_tokens_field }: CatalogueModel,
  api_key: string | null,
  fetch: (input: unknown, init?: RequestInit) => Promise<Response>,
): ProviderModel {
  const provider = createOpenAICompatible({
    name: PROVIDER,
    baseURL: base_url,
    ...(api_key !== null && { apiKey: api_key }),
    fetch,
    includeUsage: true,
    supportsStructuredOutputs: capabilities.includes("json"),
    ...(max_tokens_field !== undefined && {
      transformRequestBody: ({ max_tokens, ...body }) => ({
        ...body,
        [max_tokens_field]: max_tokens as unknown,
      }),
    }),
  });
  return provider.chatModel(name);
}
