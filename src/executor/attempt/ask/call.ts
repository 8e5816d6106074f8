import * as z from "zod";

import { canonicalJson, derivedId } from "../../../lib/ports.ts";
import { ok } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { CatalogueModel } from "../../../protocol/model.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import { beside } from "../../beside.ts";
import type { Shortage } from "../../models/allowance.ts";
import type { ModelAnswer, ModelFault, ModelRequest } from "../../models/model-port.ts";
import type { Attempt } from "../attempt.ts";
import { spare, tokensUsed } from "../effort.ts";
import { affordable, allowanceOf } from "./budget.ts";
import { moveOf, pauseBeforeRetry } from "./retry.ts";

/** The longest that one question to a model may take, tools included. Milliseconds. */
const LONGEST_CALL_MS = 300_000;

/** A call that has less time than this is not begun. Milliseconds. */
const SHORTEST_CALL_MS = 2_000;

const usageSchema = z.object({
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost_usd: z.number(),
  is_estimated: z.literal(true).exactOptional(),
});

const answerSchema: z.ZodType<ModelAnswer> = z.object({
  text: z.string(),
  value: z.json(),
  finish_reason: z.enum(["stop", "length", "tool_rounds", "content_filter", "other"]),
  usage: usageSchema,
  duration_ms: z.number(),
  tools_called: z.array(z.string()),
});

const faultSchema: z.ZodType<ModelFault> = z.object({
  class: z.enum(["bad_output", "cut_off"]),
  detail: z.string(),
  status: z.number().nullable(),
  retry_after_ms: z.number().nullable(),
  usage: usageSchema,
  duration_ms: z.number(),
  text: z.string().nullable(),
});

const journaledSchema = z.union([
  z.object({ answer: answerSchema }),
  z.object({ fault: faultSchema }),
]);

/** What a call came to; `late`: there was no time for it; `short`: what may be used, or the context, does not hold it. */
export type CallEnding =
  | { kind: "answer"; answer: ModelAnswer }
  | { kind: "fault"; fault: ModelFault }
  | { kind: "late" }
  | { kind: "short"; by: Shortage };

type Question = Omit<ModelRequest, "timeout_ms" | "idempotency_key" | "signal" | "limit">;

/** A call that an attempt before this one has paid for. */
function known(attempt: Attempt, entry: string): CallEnding | null {
  const parsed = journaledSchema.safeParse(attempt.journal.read(entry));
  if (!parsed.success) return null;
  const { data } = parsed;
  spare(attempt, "answer" in data ? data.answer : data.fault);
  return "answer" in data
    ? { kind: "answer", answer: data.answer }
    : { kind: "fault", fault: data.fault };
}

/** Journals what would come out the same if it were asked again; a provider that was down is no such thing. */
function keep({ journal, ports, task }: Attempt, entry: string, ending: CallEnding): void {
  const isOwn = ending.kind === "fault" && moveOf(ending.fault.class) === "correct";
  if (ending.kind !== "answer" && !isOwn) return;
  const value =
    ending.kind === "answer"
      ? { answer: { ...ending.answer, usage: { ...ending.answer.usage } } }
      : { fault: { ...ending.fault, usage: { ...ending.fault.usage } } };
  if (journal.keep(entry, value)) return;
  ports.log("warning", "call_not_journaled", { task_id: task.task_id ?? "" });
}

async function once(
  attempt: Attempt,
  question: Question,
  { model, key }: { model: CatalogueModel; key: string },
): Promise<Result<CallEnding, Refusal>> {
  const { session, ports, tenant } = attempt;
  if (session.timeLeftMs < SHORTEST_CALL_MS) return ok({ kind: "late" });
  const limit = allowanceOf(attempt);
  const size = affordable(question, { model, left: limit });
  if ("short" in size) return ok({ kind: "short", by: size.short });
  const asked = ports.models.generate(tenant, {
    ...question,
    ...size,
    limit,
    timeout_ms: Math.floor(
      Math.min(session.timeLeftMs, Math.max(1, session.stepLeftMs), LONGEST_CALL_MS),
    ),
    // The length of an answer is no part of the question, but of the request: under one key there is one.
    idempotency_key: `${key}-${size.max_output_tokens}-${question.max_tool_rounds}`,
    signal: session.signal,
  });
  const answered = await beside(asked, attempt);
  if (!answered.ok) return answered;
  const said = answered.value;
  const { usage } = said.ok ? said.value : said.refusal;
  session.spend({ cost_usd: usage.cost_usd, tokens: tokensUsed(usage) });
  return ok(
    said.ok ? { kind: "answer", answer: said.value } : { kind: "fault", fault: said.refusal },
  );
}

/** Waits for a provider, and says so: the second try has the whole wait for news before it. */
async function waitFor(
  attempt: Attempt,
  pause_ms: number,
  { model_id, fault }: { model_id: string; fault: ModelFault },
): Promise<Result<unknown, Refusal>> {
  const { session, ports } = attempt;
  const waited = await beside(ports.sleep(pause_ms, session.signal), attempt);
  if (!waited.ok || session.stop !== null) return waited;
  return session.goOn(`Asking ${model_id} once more: ${fault.class}`);
}

/** Asks, and once more after a fault that may pass. */
async function untilSaid(
  attempt: Attempt,
  question: Question,
  asking: { model: CatalogueModel; key: string; entry: string },
): Promise<Result<CallEnding, Refusal>> {
  const { session } = attempt;
  let faulted: CallEnding | null = null;
  for (let faults = 1; ; faults += 1) {
    const ending = await once(attempt, question, asking);
    if (!ending.ok) return ending;
    // Where nothing is left for a second try, the first one is what came of it.
    if (ending.value.kind === "short") return ok(faulted ?? ending.value);
    keep(attempt, asking.entry, ending.value);
    const told = await session.report();
    if (!told.ok || ending.value.kind !== "fault" || session.stop !== null) {
      return told.ok ? ending : told;
    }
    const pause = pauseBeforeRetry(ending.value.fault, faults, session.timeLeftMs);
    if (pause === null) return ending;
    const waited = await waitFor(attempt, pause, { ...question, fault: ending.value.fault });
    if (!waited.ok) return waited;
    if (session.stop !== null) return ending;
    faulted = ending.value;
  }
}

/**
 * Puts a question to a model: not again what an attempt before this one has an answer to, once more after a fault that
 * may pass, and never without the time to end and the means to pay. What was used is told and kept before anything else
 * happens. Refused when the lease is gone.
 */
export async function call(
  attempt: Attempt,
  question: Question,
  model: CatalogueModel,
): Promise<Result<CallEnding, Refusal>> {
  const { secret, calls } = attempt;
  // How long the answer may be depends on what is left of the budget: no part of what is asked.
  const { tools, max_output_tokens: _length, max_tool_rounds: _rounds, ...content } = question;
  const digest = await derivedId(canonicalJson([content, tools.map(({ name }) => name)]));
  // A model that made the same mistake twice is asked the same twice: the n-th time is the n-th in every attempt.
  const place = (calls.get(digest) ?? 0) + 1;
  calls.set(digest, place);
  const entry = `call:${digest}:${place}`;
  const before = known(attempt, entry);
  if (before !== null) return ok(before);
  attempt.questions.asked += 1;
  return untilSaid(attempt, question, { model, key: `${secret}-${digest}-${place}`, entry });
}
