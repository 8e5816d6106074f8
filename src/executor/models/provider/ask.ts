import { generateText, isStepCount } from "ai";

import type { Clock } from "../../../lib/ports.ts";
import { ok, refuse } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { CatalogueModel } from "../../../protocol/model.ts";
import { absence } from "../absence.ts";
import type { Shortage } from "../allowance.ts";
import type { Ask, AskableModel } from "../door.ts";
import { keyless, keylessAnswer } from "../keyless.ts";
import type { ModelAnswer, ModelRequest } from "../model-port.ts";
import { JSON_REQUEST, readAnswer } from "./answer-text.ts";
import type { Judge } from "./answer-text.ts";
import { trouble, troubleOf } from "./faults.ts";
import type { Trouble } from "./faults.ts";
import { openAiCompatible, PROVIDER_OPTIONS } from "./openai-compatible.ts";
import { createRoom } from "./room.ts";
import { inRounds } from "./rounds.ts";
import type { ProviderModel } from "./rounds.ts";
import { sdkTools } from "./tools.ts";
import { createTally, estimatedTokens } from "./usage.ts";
import type { Tally } from "./usage.ts";
import { watchedFetch } from "./watched-fetch.ts";
import type { AnswerLimits, Get, Watch } from "./watched-fetch.ts";

/** What asking models needs. */
export interface AskParts {
  now: Clock;
  get: Get;
  /** Why nothing may be sent to an address that a tenant has registered; null when it may. */
  addressFault: (url: string) => Promise<string | null>;
  /** Null where this installation has no binding for Workers AI. */
  workersAi: ((name: string) => ProviderModel) | null;
  judge: Judge;
  limits: AnswerLimits;
}

/** Asks a model by its provider. Never throws for what a provider does. */
export function createAsk(parts: AskParts): Ask {
  return async (asked, request) => {
    const began = parts.now();
    const tally = createTally(asked.model.price);
    const spent = () => ({ usage: tally.usage(), duration_ms: parts.now() - began });
    const answered = await answer(parts, asked, { request, tally });
    if (answered.ok) return ok({ ...answered.value, ...spent() });
    return refuse({ ...answered.refusal, ...spent() });
  };
}

type Asking = { request: Omit<ModelRequest, "model_id">; tally: Tally };
type Said = Omit<ModelAnswer, "usage" | "duration_ms">;

/** What is known to fail before anything is sent; null when nothing is. */
function foreseen(
  { workersAi }: AskParts,
  { model }: AskableModel,
  request: Asking["request"],
): Trouble | null {
  if (request.signal.aborted) return trouble("aborted", "stopped before it was asked");
  const missing = absence(model.provider, workersAi !== null);
  if (missing !== null) return trouble("rejected", missing);
  const characters = request.turns.reduce(
    (sum, { text }) => sum + text.length,
    request.system.length,
  );
  const tokens = estimatedTokens(characters);
  // Some servers cut the beginning off without a word.
  return tokens > model.context_tokens
    ? trouble(
        "too_long",
        `the prompt is about ${tokens} tokens, the context ${model.context_tokens}`,
      )
    : null;
}

async function answer(
  parts: AskParts,
  asked: AskableModel,
  { request, tally }: Asking,
): Promise<Result<Said, Trouble>> {
  const expected = foreseen(parts, asked, request);
  if (expected !== null) return refuse(expected);
  const watch: Watch = { trouble: null, silentSince: null };
  const late = AbortSignal.timeout(request.timeout_ms);
  const signal = AbortSignal.any([request.signal, late]);
  const tools_called: string[] = [];
  const room = createRoom(asked.model, request, tally);
  const short = (by: Shortage) => {
    watch.trouble = trouble("cut_off", `what is left (${by}) does not hold another round of it`);
  };
  try {
    const rules = { ...rulesOf(asked.model, request), room, short };
    const model = inRounds(providerModel(parts, asked, watch), rules, tally);
    const asking = generateText({
      ...promptOf(asked.model, request),
      model,
      ...(request.tools.length > 0 && {
        tools: sdkTools(request.tools, parts.judge, {
          called: (name) => void tools_called.push(name),
          fit: (text) => room.fit(text),
        }),
      }),
      abortSignal: signal,
    });
    const { text: said, finishReason: reason } = await before(signal, asking);
    const text = keylessAnswer(asked.api_key)(said);
    return heard(parts.judge, request, { text, reason, tools_called });
  } catch (error) {
    if (request.signal.aborted) return refuse(trouble("aborted", "stopped while it was asked"));
    if (watch.trouble !== null) return refuse(watch.trouble);
    if (!late.aborted)
      return refuse(troubleOf(error, { now: parts.now(), clean: keyless(asked.api_key) }));
    const detail = `no whole answer within ${request.timeout_ms / 1_000} s`;
    const silent_ms = watch.silentSince === null ? 0 : parts.now() - watch.silentSince;
    return refuse(trouble("timeout", detail, { silent_ms }));
  }
}

/** What comes of it, unless the signal is first: what does not listen to a signal is not waited for. */
async function before<Value>(signal: AbortSignal, pending: Promise<Value>): Promise<Value> {
  // Nobody may be left to hear of it.
  pending.catch(() => {});
  return Promise.race([
    pending,
    new Promise<never>((_, reject) => {
      const stop = () => reject(new Error("aborted"));
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    }),
  ]);
}

function providerModel(
  { now, get, addressFault, limits, workersAi }: AskParts,
  { model, api_key }: AskableModel,
  watch: Watch,
): ProviderModel {
  if (model.provider === "workers_ai" && workersAi !== null) return workersAi(model.name);
  const isTrusted = model.source === "configuration";
  const fault = isTrusted ? async () => null : addressFault;
  return openAiCompatible(
    model,
    api_key,
    watchedFetch({ now, get, addressFault: fault, limits, clean: keyless(api_key) }, watch),
  );
}

function rulesOf(model: CatalogueModel, request: Asking["request"]) {
  const { capabilities, is_streamed = true } = model;
  return {
    is_streamed,
    max_output_tokens: Math.min(request.max_output_tokens, model.max_output_tokens),
    max_tool_rounds: request.tools.length === 0 ? 0 : request.max_tool_rounds,
    response_schema: capabilities.includes("json") ? request.output_schema : null,
    idempotency_key: request.idempotency_key,
  };
}

function promptOf({ capabilities }: CatalogueModel, request: Asking["request"]) {
  const { system, turns, output_schema, tools, temperature } = request;
  const isLeftToWords =
    output_schema !== null && (!capabilities.includes("json") || tools.length > 0);
  const last = turns.length - 1;
  return {
    instructions: system,
    messages: turns.map(({ role, text }, index) => ({
      role,
      content: isLeftToWords && index === last ? `${text}\n\n${JSON_REQUEST}` : text,
    })),
    // Reasoning models refuse to be given one.
    ...(!capabilities.includes("reasoning") && { temperature }),
    stopWhen: isStepCount(request.max_tool_rounds + 1),
    // The engine repeats, by the class of the fault and within its budget.
    maxRetries: 0,
    // One after the other, so that a journal of them has an order.
    toolCallConcurrency: 1,
    providerOptions: PROVIDER_OPTIONS,
  };
}

/** What an answer is worth. */
function heard(
  judge: Judge,
  { output_schema }: Asking["request"],
  { text, reason, tools_called }: { text: string; reason: string; tools_called: string[] },
): Result<Said, Trouble> {
  if (reason === "length")
    return refuse(trouble("cut_off", "the answer hit its limit of tokens", { text }));
  if (reason === "content-filter") {
    return refuse(trouble("filtered", "the provider's filter stopped the answer", { text }));
  }
  if (reason === "error" || reason === "interrupted") {
    return refuse(trouble("network", "the answer broke off without an end", { text }));
  }
  const finish_reason =
    reason === "tool-calls" ? "tool_rounds" : reason === "stop" ? "stop" : "other";
  const said = { text, finish_reason, tools_called } as const;
  if (output_schema === null) {
    return text === "" && finish_reason !== "tool_rounds"
      ? refuse(trouble("bad_output", "the answer has no text", { text }))
      : ok({ ...said, value: null });
  }
  const read = readAnswer(text, output_schema, judge);
  return read.ok
    ? ok({ ...said, value: read.value })
    : refuse(trouble("bad_output", read.refusal, { text }));
}
