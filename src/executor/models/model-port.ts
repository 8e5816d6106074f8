import type { Result } from "../../lib/result.ts";
import type { CatalogueModel, ModelFaultClass } from "../../protocol/model.ts";
import type { JsonObject, JsonValue } from "../skills/skill.ts";
import type { Allowance } from "./allowance.ts";

export type { ModelFaultClass };

/* What the engine needs of models; providers are behind it (the AI SDK), and nothing of an SDK crosses it. */

/** A tool that a model may call while it answers: one of the executor's skills. */
export interface ModelTool {
  name: string;
  description: string;
  /** JSON Schema of what it takes. */
  input_schema: JsonObject;
  run(input: JsonObject): Promise<JsonValue>;
}

/** One question to a model. */
export interface ModelRequest {
  model_id: string;
  /** The executor's own instructions. Nothing that came with a task belongs here. */
  system: string;
  /** Alternating turns, the first and the last one by the user; what a task brought is quoted in them. */
  turns: { role: "user" | "assistant"; text: string }[];
  /**
   * JSON Schema that the answer has to satisfy; null: text. The last turn shows it too, quoted as all that a task
   * brought: a provider that does not enforce schemas is told in words to keep to the one in the turn.
   */
  output_schema: JsonObject | null;
  tools: ModelTool[];
  /** Turns that the model may spend on tools before it has to answer. */
  max_tool_rounds: number;
  max_output_tokens: number;
  /** What the question may use, over all its rounds; absent: as much as the model can hold. */
  limit?: Allowance;
  temperature: number;
  /** Milliseconds the whole question may take, tools included. */
  timeout_ms: number;
  /** The same for every repetition of the same question. Sent where the provider has such a thing. */
  idempotency_key: string;
  /** Aborted by a cancellation, a lost lease or a spent budget. */
  signal: AbortSignal;
}

/** What a question has used up, over all its rounds. */
export interface ModelUsage {
  input_tokens: number;
  output_tokens: number;
  cost_usd: number;
  /** There when the provider did not count, so that tokens were taken for four characters each. */
  is_estimated?: true;
}

export interface ModelAnswer {
  text: string;
  /** The parsed answer where an output_schema was given; null otherwise. */
  value: JsonValue;
  finish_reason: "stop" | "length" | "tool_rounds" | "content_filter" | "other";
  usage: ModelUsage;
  duration_ms: number;
  /** Names of the tools that were called, in order. */
  tools_called: string[];
}

export interface ModelFault {
  class: ModelFaultClass;
  /** One sentence without secrets, for the log of the task. */
  detail: string;
  status: number | null;
  retry_after_ms: number | null;
  /** There where it is not the provider that ended the question: milliseconds that it had said nothing by then. */
  silent_ms?: number;
  /** What was used up nevertheless. */
  usage: ModelUsage;
  duration_ms: number;
  /** What the model said, where it was the model's own fault; at most 10,000 characters. */
  text: string | null;
}

/** The models of a tenant. `generate` never throws for what a provider does. */
export interface ModelDoor {
  /** Enabled models, without the built-in arm; while D1 is down, those that are known without it. */
  catalogue(tenant: string): Promise<readonly CatalogueModel[]>;
  generate(tenant: string, request: ModelRequest): Promise<Result<ModelAnswer, ModelFault>>;
}
