import { env } from "cloudflare:workers";

import type { ModelOutcome, RoutingQuestion } from "../../src/executor/router/router-port.ts";
import { routerDoorOf } from "../../src/services-routing.ts";
import { modelOf, questionOf } from "../router-question.ts";

/** Two models, of which `ant` is chosen as long as nothing was learned. */
export const MODELS = [modelOf("ant"), modelOf("bee")];

/** A choice as the engine has it made, for a tenant; the id of it. */
export async function decided(
  tenant: string,
  decision_id: string,
  changes: Partial<RoutingQuestion> = {},
): Promise<string> {
  const question = questionOf({ decision_id, models: MODELS, ...changes });
  await routerDoorOf(env).choose(tenant, question);
  return decision_id;
}

/** How a choice went; plainly well where a test says nothing else. */
export function outcomeOf(decision_id: string, changes: Partial<ModelOutcome> = {}): ModelOutcome {
  return {
    decision_id,
    reward: 1,
    source: "quality",
    is_success: true,
    quality: 0.9,
    latency_s: 2,
    cost_usd: 0.01,
    tokens: 100,
    ...changes,
  };
}
