import type { CatalogueModel } from "../../../protocol/model.ts";
import { inputTokensOf, LEAST_ANSWER_TOKENS, payable } from "../../models/allowance.ts";
import type { Allowance, Shortage } from "../../models/allowance.ts";
import type { ModelRequest } from "../../models/model-port.ts";
import type { Attempt } from "../attempt.ts";

function rest(limit: number | undefined, granted: number, used: number): number | null {
  return limit === undefined ? null : Math.max(0, limit + granted - used);
}

/**
 * What may still be used of the task's budget. What children and other branches of a tree use is judged by the task
 * itself, with each heartbeat.
 */
export function allowanceOf({ task, session, journal }: Attempt): Allowance {
  const { max_cost_usd, max_tokens } = task.contract?.budget ?? {};
  const { earlier } = journal;
  const { granted, used } = session;
  return {
    cost_usd: rest(max_cost_usd, granted.cost_usd, earlier.cost_usd + used.cost_usd),
    tokens: rest(max_tokens, granted.tokens, earlier.tokens + used.tokens),
  };
}

type Sized = Pick<
  ModelRequest,
  "system" | "turns" | "output_schema" | "tools" | "max_output_tokens"
>;

/**
 * How long the answer to a question may be: cut down to what may be used and to the model's context. Refused by naming
 * what is too short when even the shortest answer worth having does not fit. Rounds of tools are the provider's to cut
 * down, one by one, to what the rounds before have left.
 */
export function affordable(
  question: Sized,
  parts: { model: CatalogueModel; left: Allowance },
): { max_output_tokens: number } | { short: Shortage } {
  const wanted = Math.min(question.max_output_tokens, parts.model.max_output_tokens);
  const { most, by } = payable(inputTokensOf(question), parts);
  return most < Math.min(wanted, LEAST_ANSWER_TOKENS)
    ? { short: by }
    : { max_output_tokens: Math.floor(Math.min(wanted, most)) };
}
