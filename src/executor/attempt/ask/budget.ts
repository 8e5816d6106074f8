import type { CatalogueModel } from "../../../protocol/model.ts";
import type { ModelBrief } from "../../assisted/brief.ts";
import type { Used } from "../../journal.ts";

/** What may still be used; null where there is no limit. */
export interface Allowance {
  cost_usd: number | null;
  tokens: number | null;
}

/** What limits a call. */
export type Shortage = "cost_usd" | "tokens" | "context";

/** Characters of a token at the least, in the languages and code that models read: estimates err on the dear side. */
const CHARACTERS_PER_TOKEN = 3;

/** An answer that may be no longer than this is not worth asking for. Tokens. */
const LEAST_OUTPUT_TOKENS = 256;

/** Tokens of a text, rather too many than too few. */
export function tokensOf(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

function rest(limit: number | undefined, granted: number, used: number): number | null {
  return limit === undefined ? null : Math.max(0, limit + granted - used);
}

/**
 * What is left of a budget. What children and other branches of a tree use is judged by the task itself, with each
 * heartbeat.
 */
export function leftOf(
  budget: { max_cost_usd?: number | undefined; max_tokens?: number | undefined } | undefined,
  granted: Used,
  used: Used,
): Allowance {
  return {
    cost_usd: rest(budget?.max_cost_usd, granted.cost_usd, used.cost_usd),
    tokens: rest(budget?.max_tokens, granted.tokens, used.tokens),
  };
}

type Size = Pick<ModelBrief["request"], "max_output_tokens" | "max_tool_rounds">;

/** Estimated tokens of what is sent in the first round of a call. */
export function inputTokensOf({
  system,
  turns,
  output_schema,
  tools,
}: Pick<ModelBrief["request"], "system" | "turns" | "output_schema" | "tools">): number {
  const told = tools.map(({ name, description, input_schema }) => [
    name,
    description,
    input_schema,
  ]);
  const characters =
    system.length +
    turns.reduce((sum, { text }) => sum + text.length, 0) +
    JSON.stringify([output_schema, told]).length;
  return tokensOf(characters);
}

/** Tokens of an answer that the allowance can pay in the worst case: every round as long as it may be. */
function payable(
  input: number,
  rounds: number,
  { model, left }: { model: CatalogueModel; left: Allowance },
): { most: number; by: Shortage } {
  const { input_usd_per_mtok, output_usd_per_mtok } = model.price;
  const limits: { most: number; by: Shortage }[] = [
    { most: model.context_tokens - input, by: "context" },
  ];
  if (left.tokens !== null) limits.push({ most: left.tokens / rounds - input, by: "tokens" });
  if (left.cost_usd !== null) {
    const money = (left.cost_usd * 1e6) / rounds - input * input_usd_per_mtok;
    const most = output_usd_per_mtok > 0 ? money / output_usd_per_mtok : Infinity;
    limits.push({ most: money < 0 ? -1 : most, by: "cost_usd" });
  }
  return limits.reduce((least, limit) => (limit.most < least.most ? limit : least));
}

/**
 * Cuts a call down to what may be used: first its answer, then the rounds that its tools may take. Refused by naming
 * what is too short when even the shortest answer worth having does not fit.
 */
export function affordable(
  input_tokens: number,
  wanted: Size,
  parts: { model: CatalogueModel; left: Allowance },
): Size | { short: Shortage } {
  const most = Math.min(wanted.max_output_tokens, parts.model.max_output_tokens);
  const least = Math.min(most, LEAST_OUTPUT_TOKENS);
  const full = payable(input_tokens, wanted.max_tool_rounds + 1, parts);
  if (full.most >= least) {
    return { ...wanted, max_output_tokens: Math.floor(Math.min(most, full.most)) };
  }
  const bare = payable(input_tokens, 1, parts);
  if (bare.most < least) return { short: bare.by };
  return { max_tool_rounds: 0, max_output_tokens: Math.floor(Math.min(most, bare.most)) };
}
