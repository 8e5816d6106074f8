import type { CatalogueModel } from "../../../protocol/model.ts";
import type { ModelUsage } from "../model-port.ts";

/** What a token is taken for where nobody counted: four characters, as providers advise for English text. */
const CHARACTERS_PER_TOKEN = 4;

/** Prices are per million tokens. */
const TOKENS_PER_PRICE = 1_000_000;

/** A billionth of a dollar: below it sums of floating-point numbers show nothing but their error. */
const SMALLEST_USD = 1e9;

/** No round of any model has more tokens: a larger count is none. */
const MOST_TOKENS = 1e9;

/** What a server says it has counted; null where that is no number of tokens. Zero tokens for something are none either. */
function counted(told: number | undefined): number | null {
  const isCount =
    told !== undefined && Number.isSafeInteger(told) && told > 0 && told <= MOST_TOKENS;
  return isCount ? told : null;
}

/** Tokens that so many characters are, where nobody counted them. */
export function estimatedTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

/** Adds up what the rounds of one question use. A round that breaks off counts for what was heard of it. */
export interface Tally {
  /** A round has begun to be answered, on a prompt of so many characters. */
  open(characters: number): void;
  /** So many more characters of its answer have come. */
  hear(characters: number): void;
  /** The round is over; what the provider does not tell, or what can't be a count, is estimated. */
  close(told: { input: number | undefined; output: number | undefined }): void;
  usage(): ModelUsage;
}

/** A tally at a model's price. */
export function createTally(price: CatalogueModel["price"]): Tally {
  const sum = { input: 0, output: 0, isEstimated: false };
  let round: { prompt: number; heard: number } | null = null;
  const close: Tally["close"] = (told) => {
    const [input, output] = [counted(told.input), counted(told.output)];
    const { prompt, heard } = round ?? { prompt: 0, heard: 0 };
    sum.input += input ?? estimatedTokens(prompt);
    sum.output += output ?? estimatedTokens(heard);
    sum.isEstimated ||= input === null || (output === null && heard > 0);
    round = null;
  };
  return {
    open: (prompt) => {
      round = { prompt, heard: 0 };
    },
    hear: (characters) => {
      if (round !== null) round.heard += characters;
    },
    close,
    usage() {
      if (round !== null) close({ input: undefined, output: undefined });
      const usd = sum.input * price.input_usd_per_mtok + sum.output * price.output_usd_per_mtok;
      return {
        input_tokens: sum.input,
        output_tokens: sum.output,
        cost_usd: Math.round((usd / TOKENS_PER_PRICE) * SMALLEST_USD) / SMALLEST_USD,
        ...(sum.isEstimated && { is_estimated: true }),
      };
    },
  };
}
