import type { Used } from "../journal.ts";
import type { ModelUsage } from "../models/model-port.ts";
import type { Attempt } from "./attempt.ts";

/** Questions to models, and what of them the journal has spared an attempt: its predecessors have paid for it. */
export interface Questions extends Used {
  /** Put to a model by this attempt. */
  asked: number;
  /** Answered from the journal; the sums are theirs. */
  spared: number;
  seconds: number;
}

/** Nothing asked, nothing spared. */
export function noQuestions(): Questions {
  return { asked: 0, spared: 0, seconds: 0, cost_usd: 0, tokens: 0 };
}

/** The tokens of a call, in both directions. */
export function tokensUsed({ input_tokens, output_tokens }: ModelUsage): number {
  return input_tokens + output_tokens;
}

/** Notes that a question was answered from the journal, with what the answer had taken. */
export function spare(
  { questions }: Attempt,
  { usage, duration_ms }: { usage: ModelUsage; duration_ms: number },
): void {
  questions.spared += 1;
  questions.seconds += duration_ms / 1_000;
  questions.cost_usd += usage.cost_usd;
  questions.tokens += tokensUsed(usage);
}

/** What the work so far has taken, whoever has done it: an answer is not free because it was paid before. */
export function effortOf({ session, questions }: Attempt): Questions {
  return {
    ...questions,
    seconds: session.workedSeconds + questions.seconds,
    cost_usd: session.used.cost_usd + questions.cost_usd,
    tokens: session.used.tokens + questions.tokens,
  };
}
