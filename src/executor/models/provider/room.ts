import type { CatalogueModel } from "../../../protocol/model.ts";
import { fitted, tokensOf } from "../../text-tokens.ts";
import { callable, inputTokensOf, LEAST_ANSWER_TOKENS, payable, readable } from "../allowance.ts";
import type { Allowance, Shortage } from "../allowance.ts";
import type { ModelRequest } from "../model-port.ts";
import type { Tally } from "./usage.ts";

/** Tools are called, and heard, only as long as an answer of so many tokens can follow. */
const ANSWER_TOKENS = 1_024;

/** Marks around a call and its result, beside the text of both. Tokens. */
const MARKS_TOKENS = 50;

const UNLIMITED: Allowance = { cost_usd: null, tokens: null };

/** How a round may be asked. */
export interface RoundSize {
  max_output_tokens: number;
  /** Whether it may call tools; if not, it has to answer. */
  may_call: boolean;
}

/**
 * What the rounds of one question may still take, of the model's context and of what may be spent. Each round pays for
 * the whole of the conversation so far, so a question with tools costs many times its first round.
 */
export interface Room {
  /** How the next round may be asked. @param added what was said since the last one, as JSON; "" before the first */
  next(added: string, wish: RoundSize): RoundSize | { short: Shortage };
  /** A round is over, and on the tally. */
  close(): void;
  /** What a tool answered, cut to half of the room that is left: there may be more calls to come. */
  fit(text: string): string;
}

/** The room of a question that has not been asked yet. */
export function createRoom(
  model: Pick<CatalogueModel, "context_tokens" | "price">,
  request: Pick<ModelRequest, "system" | "turns" | "output_schema" | "tools" | "limit">,
  tally: Pick<Tally, "usage">,
): Room {
  const { limit = UNLIMITED } = request;
  let input = inputTokensOf(request);
  let results = 0;
  let reserve = ANSWER_TOKENS;
  let before = tally.usage();
  const means = () => {
    const { input_tokens, output_tokens, cost_usd } = tally.usage();
    const used = input_tokens + output_tokens;
    const left: Allowance = {
      cost_usd: limit.cost_usd === null ? null : limit.cost_usd - cost_usd,
      tokens: limit.tokens === null ? null : limit.tokens - used,
    };
    return { model, left };
  };
  return {
    next(added, { max_output_tokens, may_call }) {
      input += tokensOf(added);
      before = tally.usage();
      reserve = Math.min(ANSWER_TOKENS, max_output_tokens);
      const least = Math.min(LEAST_ANSWER_TOKENS, max_output_tokens);
      const sized = (most: number) => Math.floor(Math.min(max_output_tokens, most));
      const most = callable(input, reserve, means());
      if (may_call && most >= least) return { max_output_tokens: sized(most), may_call };
      const last = payable(input, means());
      if (last.most < least) return { short: last.by };
      return { max_output_tokens: sized(last.most), may_call: false };
    },
    close() {
      const after = tally.usage();
      // What the provider has counted is nearer to the truth than the estimate, unless it leaves out what it remembers.
      input = Math.max(after.input_tokens - before.input_tokens, input / 2);
      const answered = after.output_tokens - before.output_tokens;
      results = Math.max(0, readable(reserve, means()) - input - answered);
    },
    fit(text) {
      const { text: shown } = fitted(text, Math.floor(results / 2));
      // It is sent within JSON, where quotation marks and line feeds count twice.
      results = Math.max(0, results - tokensOf(JSON.stringify(shown)) - MARKS_TOKENS);
      return shown;
    },
  };
}
