import type { OpenAICompatibleProvider } from "@ai-sdk/openai-compatible";

import { derivedId } from "../../../lib/ports.ts";
import type { JsonObject } from "../../skills/skill.ts";
import type { Shortage } from "../allowance.ts";
import type { Room, RoundSize } from "./room.ts";
import type { Tally } from "./usage.ts";

/** A model of a provider, as the SDK calls it. */
export type ProviderModel = ReturnType<OpenAICompatibleProvider["chatModel"]>;

type Options = Parameters<ProviderModel["doGenerate"]>[0];
type Generated = Awaited<ReturnType<ProviderModel["doGenerate"]>>;
type Content = Generated["content"];
type Streamed = Awaited<ReturnType<ProviderModel["doStream"]>>["stream"];
type Part = Streamed extends ReadableStream<infer Each> ? Each : never;

/** Tools that a model may call in one breath: more is a model that repeats itself. */
const MOST_CALLS = 32;

/** How the rounds of one question are asked. */
interface RoundRules {
  is_streamed: boolean;
  /** Rounds that may call tools; the one after them has to answer. */
  max_tool_rounds: number;
  /** Tokens of an answer, at most. */
  max_output_tokens: number;
  room: Room;
  /** Is told what is too short for another round, before the question ends by throwing. */
  short: (by: Shortage) => void;
  /** What the provider itself has to see to; null: nothing. */
  response_schema: JsonObject | null;
  idempotency_key: string;
}

/**
 * The same model, with each round on the tally and within the room that is left, a last round that may not call tools,
 * and answers that are streamed under the hood, so that one that stalls is noticed long before the question's time is over.
 */
export function inRounds(model: ProviderModel, rules: RoundRules, tally: Tally): ProviderModel {
  let rounds = 0;
  let told = 0;
  const { provider, modelId, supportedUrls } = model;
  return {
    specificationVersion: "v4",
    provider,
    modelId,
    supportedUrls,
    doStream: (options) => model.doStream(options),
    async doGenerate(given) {
      const added = rounds === 0 ? "" : JSON.stringify(given.prompt.slice(told));
      const size = sizeOf(rules, added, rounds);
      const isLast = !size.may_call;
      const options = await optionsOf(given, rules, { round: rounds, size });
      rounds += 1;
      told = given.prompt.length;
      const prompt = JSON.stringify([options.prompt, options.tools ?? []]).length;
      const answer = rules.is_streamed
        ? await collected((await model.doStream(options)).stream, tally, prompt)
        : await whole(model.doGenerate(options), tally, prompt);
      rules.room.close();
      const content = isLast
        ? answer.content.filter(({ type }) => type !== "tool-call")
        : answer.content;
      return { ...answer, content, warnings: [] };
    },
  };
}

function sizeOf(rules: RoundRules, added: string, round: number): RoundSize {
  const { max_output_tokens, max_tool_rounds } = rules;
  const size = rules.room.next(added, { max_output_tokens, may_call: round < max_tool_rounds });
  if (!("short" in size)) return size;
  rules.short(size.short);
  throw new Error(`too little is left: ${size.short}`);
}

async function optionsOf(
  given: Options,
  { response_schema, idempotency_key, max_output_tokens }: RoundRules,
  { round, size }: { round: number; size: RoundSize },
): Promise<Options> {
  const isLast = !size.may_call;
  const hasTools = (given.tools ?? []).length > 0;
  // A later round follows from what tools answered: only if that is the same is it the same question.
  const place = round === 0 ? "" : `.${await derivedId(JSON.stringify(given.prompt))}`;
  // Nor is it with another length of the answer: a provider that honours keys refuses one with another body.
  const length = size.max_output_tokens === max_output_tokens ? "" : `.${size.max_output_tokens}`;
  return {
    ...given,
    maxOutputTokens: size.max_output_tokens,
    headers: { ...given.headers, "idempotency-key": `${idempotency_key}${place}${length}` },
    // Servers that hold a model to a grammar would keep it from calling tools.
    ...(response_schema !== null &&
      (isLast || !hasTools) && {
        responseFormat: { type: "json", name: "answer", schema: response_schema },
      }),
    ...(isLast && hasTools && { toolChoice: { type: "none" } }),
  };
}

function tooManyCalls(content: Content): boolean {
  return content.filter(({ type }) => type === "tool-call").length > MOST_CALLS;
}

function settled(answer: Generated, tally: Tally): Generated {
  const { inputTokens, outputTokens } = answer.usage;
  tally.close({ input: inputTokens.total, output: outputTokens.total });
  if (!tooManyCalls(answer.content)) return answer;
  return {
    ...answer,
    content: [],
    finishReason: { unified: "length", raw: "too many tool calls" },
  };
}

async function whole(pending: PromiseLike<Generated>, tally: Tally, prompt: number) {
  const answer = await pending;
  tally.open(prompt);
  for (const part of answer.content) tally.hear(lengthOf(part));
  return settled(answer, tally);
}

function lengthOf(part: Content[number]): number {
  if (part.type === "text" || part.type === "reasoning") return part.text.length;
  return part.type === "tool-call" ? part.input.length : 0;
}

/** The whole of a streamed answer. Throws what the stream says went wrong. */
async function collected(stream: Streamed, tally: Tally, prompt: number): Promise<Generated> {
  tally.open(prompt);
  const content: Content = [];
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      const part: Part = next.value;
      if (part.type === "error") throw part.error;
      if (part.type === "finish") {
        return settled({ ...part, content, warnings: [] }, tally);
      }
      add(content, part, tally);
    }
  } finally {
    // It is at its end, or nobody wants the rest.
    reader.cancel().catch(() => {});
  }
  throw new Error("the answer broke off without an end");
}

function add(content: Content, part: Part, tally: Tally): void {
  if (part.type === "tool-call") {
    content.push(part);
    tally.hear(part.input.length);
  }
  if (part.type !== "text-delta" && part.type !== "reasoning-delta") return;
  const type = part.type === "text-delta" ? "text" : "reasoning";
  tally.hear(part.delta.length);
  const last = content.at(-1);
  if (last?.type === type) last.text += part.delta;
  else content.push({ type, text: part.delta });
}
