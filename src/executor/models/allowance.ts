import type { CatalogueModel } from "../../protocol/model.ts";
import { tokensOf } from "../text-tokens.ts";
import type { ModelRequest } from "./model-port.ts";

/** What may still be used; null where there is no limit. */
export interface Allowance {
  cost_usd: number | null;
  tokens: number | null;
}

/** What limits an answer. */
export type Shortage = "cost_usd" | "tokens" | "context";

/** A model and what may be spent on it. */
export interface Means {
  model: Pick<CatalogueModel, "context_tokens" | "price">;
  left: Allowance;
}

/** An answer that may be no longer than this is not worth asking for. Tokens. */
export const LEAST_ANSWER_TOKENS = 256;

/** Of a round that calls tools: the marks around a call and around its result, at the least. Tokens. */
const CALL_TOKENS = 100;

/** Estimated tokens of what is sent in the first round of a question. */
export function inputTokensOf({
  system,
  turns,
  output_schema,
  tools,
}: Pick<ModelRequest, "system" | "turns" | "output_schema" | "tools">): number {
  const told = tools.map(({ name, description, input_schema }) => [
    name,
    description,
    input_schema,
  ]);
  const texts = [system, ...turns.map(({ text }) => text), JSON.stringify([output_schema, told])];
  return texts.reduce((sum, text) => sum + tokensOf(text), 0);
}

/** Dollars are reckoned in millionths, which is what a token costs at a price per million. */
function money({ left, model }: Means): { usd: number; input: number; output: number } | null {
  if (left.cost_usd === null) return null;
  const { input_usd_per_mtok: input, output_usd_per_mtok: output } = model.price;
  return { usd: left.cost_usd * 1e6, input, output };
}

/** How much of something a sum pays; a negative one pays nothing, not even what is free. */
function bought(usd: number, price: number): number {
  if (usd < 0) return -1;
  return price > 0 ? usd / price : Infinity;
}

/** Tokens that an answer to so many may have at most, and what says so. */
export function payable(input: number, means: Means): { most: number; by: Shortage } {
  const { model, left } = means;
  const limits: { most: number; by: Shortage }[] = [
    { most: model.context_tokens - input, by: "context" },
  ];
  if (left.tokens !== null) limits.push({ most: left.tokens - input, by: "tokens" });
  const cash = money(means);
  if (cash !== null)
    limits.push({ most: bought(cash.usd - input * cash.input, cash.output), by: "cost_usd" });
  return limits.reduce((least, limit) => (limit.most < least.most ? limit : least));
}

/**
 * Tokens that a round may have at most which calls a tool, so that the round after it, whose question holds all of this
 * one, can still give an answer of `answer` tokens.
 */
export function callable(input: number, answer: number, means: Means): number {
  const { model, left } = means;
  const again = input + CALL_TOKENS;
  const limits = [model.context_tokens - again - answer];
  if (left.tokens !== null) limits.push((left.tokens - input - again - answer) / 2);
  const cash = money(means);
  if (cash !== null) {
    const rest = cash.usd - (input + again) * cash.input - answer * cash.output;
    limits.push(bought(rest, cash.input + cash.output));
  }
  return Math.min(...limits);
}

/** Tokens that a question may have at most, so that an answer of `answer` tokens is left. */
export function readable(answer: number, means: Means): number {
  const { model, left } = means;
  const limits = [model.context_tokens - answer];
  if (left.tokens !== null) limits.push(left.tokens - answer);
  const cash = money(means);
  if (cash !== null) limits.push(bought(cash.usd - answer * cash.output, cash.input));
  return Math.min(...limits);
}
