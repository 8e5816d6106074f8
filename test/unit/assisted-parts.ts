import type { BriefParts } from "../../src/executor/assisted/brief.ts";
import type { ModelAnswer } from "../../src/executor/models/model-port.ts";
import type { JsonValue, SkillTools } from "../../src/executor/skills/skill.ts";
import { ok } from "../../src/lib/result.ts";
import { catalogueModelSchema } from "../../src/protocol/model.ts";

/** A model of the catalogue that can do everything, in a context of 32,000 tokens. */
export const MODEL = catalogueModelSchema.parse({
  model_id: "large",
  provider: "openai_compatible",
  name: "large",
  base_url: "http://127.0.0.1:1/v1",
  locality: "local",
  capabilities: ["text", "json", "tools", "code"],
  context_tokens: 32_000,
  max_output_tokens: 4_096,
  has_api_key: false,
  source: "configuration",
  updated_at: null,
});

/** Tools whose steps are remembered by name, and whose requests are counted. */
export function toolsOf(): SkillTools & { steps: Map<string, JsonValue>; requests: string[] } {
  const steps = new Map<string, JsonValue>();
  const requests: string[] = [];
  return {
    steps,
    requests,
    now: () => 0,
    pause: async () => {},
    http: async ({ url }) => {
      requests.push(url);
      return ok({ status: 200, headers: {}, text: "", bytes: 0, is_cut: false, duration_ms: 1 });
    },
    step: async (name, work) => {
      const value = await work();
      steps.set(name, value);
      return value;
    },
    idempotencyKey: (name) => name,
    signal: new AbortController().signal,
  };
}

/** The parts of a brief with everything that a test does not care about. */
export function partsOf(given: Partial<BriefParts> = {}): BriefParts {
  return {
    task: { description: "Say why the pump stopped", input_data: {}, configuration: {} },
    task_type: "general",
    output_schema: null,
    memories: [],
    findings: [],
    previous: null,
    skills: [],
    tools: toolsOf(),
    model: MODEL,
    ...given,
  };
}

/** An answer with everything that a test does not care about. */
export function answerOf(given: Partial<ModelAnswer>): ModelAnswer {
  return {
    text: given.value === undefined ? "" : JSON.stringify(given.value),
    value: null,
    finish_reason: "stop",
    usage: { input_tokens: 1, output_tokens: 1, cost_usd: 0 },
    duration_ms: 1,
    tools_called: [],
    ...given,
  };
}
