import type { RoutingQuestion } from "../src/executor/router/router-port.ts";
import { catalogueModelSchema, type CatalogueModel } from "../src/protocol/model.ts";

/** A model of the catalogue; what a test says of it, and plain values for the rest. */
export function modelOf(model_id: string, changes: Partial<CatalogueModel> = {}): CatalogueModel {
  return catalogueModelSchema.parse({
    model_id,
    name: model_id,
    provider: "openai_compatible",
    locality: "api",
    capabilities: ["text", "json"],
    context_tokens: 100_000,
    price: { input_usd_per_mtok: 1, output_usd_per_mtok: 1 },
    tier: 3,
    prior_quality: 0.8,
    typical_latency_s: 10,
    has_api_key: true,
    source: "api",
    updated_at: null,
    ...changes,
  });
}

/** A question about a task of the middle band, which the executor's own skills can't do. */
export function questionOf(changes: Partial<RoutingQuestion> = {}): RoutingQuestion {
  return {
    decision_id: "dec-1",
    task_id: "task-1",
    attempt: 1,
    round: 1,
    task_type: "research",
    description: "Say what the documents say of bees",
    input_characters: 0,
    complexity: "medium",
    objective: "balanced",
    model_preference: "hybrid",
    region: null,
    needs: [],
    input_tokens: 1_000,
    output_tokens: 1_000,
    budget_usd: null,
    budget_tokens: null,
    time_left_ms: 600_000,
    is_explorable: false,
    retries_left: 2,
    builtin_lack: "research without a model needs documents",
    builtin_prior_quality: 0.7,
    excluded: [],
    avoided: [],
    above_tier: null,
    models: [],
    ...changes,
  };
}
