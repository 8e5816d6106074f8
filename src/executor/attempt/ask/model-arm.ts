import { ok } from "../../../lib/result.ts";
import type { Result } from "../../../lib/result.ts";
import type { CatalogueModel } from "../../../protocol/model.ts";
import type { Refusal } from "../../../protocol/refusal.ts";
import type { ModelBrief } from "../../assisted/brief.ts";
import type { RecalledMemory } from "../../memory/memory-port.ts";
import type { Shortage } from "../../models/allowance.ts";
import type { ModelAnswer, ModelFault, ModelUsage } from "../../models/model-port.ts";
import type { Finding } from "../../quality/assessment.ts";
import { SKILLS } from "../../skills/registry.ts";
import type { Attempt, Made } from "../attempt.ts";
import { tokensUsed } from "../effort.ts";
import { modelToolsOf } from "../tools.ts";
import { call } from "./call.ts";
import { moveOf } from "./retry.ts";

/** What a call is remembered by in the task's log. */
export interface CallFacts {
  finish_reason: string;
  tokens: number;
  cost_usd: number;
  duration_ms: number;
  tools_called: string[];
}

/** What came of a question to a model. `unusable`: it said something, and the model itself can mend it. */
export type ModelEnding =
  | { kind: "made"; made: Made; text: string; facts: CallFacts }
  | { kind: "unusable"; findings: Finding[]; text: string | null; facts: CallFacts }
  | { kind: "fault"; fault: ModelFault }
  | { kind: "short"; by: Shortage }
  | { kind: "late" }
  | { kind: "stopped" };

/** What the model is asked beside the task itself. */
export interface Asking {
  model: CatalogueModel;
  memories: readonly RecalledMemory[];
  findings: readonly Finding[];
  previous: string | null;
}

function factsOf(
  usage: ModelUsage,
  more: Pick<CallFacts, "finish_reason" | "duration_ms" | "tools_called">,
): CallFacts {
  return { ...more, tokens: tokensUsed(usage), cost_usd: usage.cost_usd };
}

function ownFault(code: string, detail: string): Finding {
  return { check: "syntactic", code, location: "/", detail, is_blocking: true };
}

function afterFault(fault: ModelFault): ModelEnding {
  if (moveOf(fault.class) !== "correct") return { kind: "fault", fault };
  const { usage, duration_ms, text, class: code, detail } = fault;
  const facts = factsOf(usage, { finish_reason: code, duration_ms, tools_called: [] });
  return { kind: "unusable", findings: [ownFault(code, detail)], text, facts };
}

function afterAnswer(answer: ModelAnswer, brief: Pick<ModelBrief, "read">): ModelEnding {
  const { text, finish_reason, usage, duration_ms, tools_called } = answer;
  const facts = factsOf(usage, { finish_reason, duration_ms, tools_called });
  if (finish_reason === "content_filter") {
    const detail = "The provider's filter kept the answer back";
    const silent = { status: null, retry_after_ms: null, text: null };
    return { kind: "fault", fault: { class: "filtered", detail, usage, duration_ms, ...silent } };
  }
  if (finish_reason === "length") {
    const detail = "The answer was cut off at its longest length; answer more briefly";
    return { kind: "unusable", findings: [ownFault("cut_off", detail)], text, facts };
  }
  const made = brief.read(answer);
  return made.ok
    ? { kind: "made", made: { ...made.value, measured: null }, text, facts }
    : { kind: "unusable", findings: made.refusal, text, facts };
}

function tooLong({ context_tokens }: CatalogueModel): ModelEnding {
  return {
    kind: "fault",
    fault: {
      class: "too_long",
      detail: `The task does not fit into the model's ${context_tokens} tokens`,
      status: null,
      retry_after_ms: null,
      usage: { input_tokens: 0, output_tokens: 0, cost_usd: 0 },
      duration_ms: 0,
      text: null,
    },
  };
}

/**
 * Asks a model for the task's result, within what budget and time allow. Refused when the lease is gone.
 */
export async function askModel(
  attempt: Attempt,
  { model, memories, findings, previous }: Asking,
): Promise<Result<ModelEnding, Refusal>> {
  const { task, asked, output_schema, ports, session } = attempt;
  const brief = ports.assist({
    task: asked,
    task_type: task.task_type,
    output_schema,
    memories,
    findings,
    previous,
    skills: SKILLS,
    tools: modelToolsOf(attempt),
    model,
  });
  const called = await call(attempt, { ...brief.request, model_id: model.model_id }, model);
  if (!called.ok) return called;
  // An answer that is there when only the time is over may still be the result.
  const isHeard = called.value.kind === "answer" && !session.isWithdrawn;
  if (session.stop !== null && !isHeard) return ok({ kind: "stopped" });
  switch (called.value.kind) {
    case "late":
      return ok({ kind: "late" });
    case "short": {
      const { by } = called.value;
      return ok(by === "context" ? tooLong(model) : { kind: "short", by });
    }
    case "fault":
      return ok(afterFault(called.value.fault));
    case "answer":
      return ok(afterAnswer(called.value.answer, brief));
  }
}
