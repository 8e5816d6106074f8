import type { Log } from "../../lib/log.ts";
import { canonicalJson, instant, type Clock } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import { BUILTIN_MODEL_ID } from "../../protocol/model.ts";
import { afterFault, afterProbe, breakerStateOf, type ModelBreaker } from "./breaker.ts";
import type { DecisionRow, Learned } from "./ledger.ts";
import { readRecord, recordOf, type RoutingRecord } from "./record.ts";
import type {
  ModelDecision,
  ModelOutcome,
  NoModel,
  RouterDoor,
  RoutingQuestion,
} from "./router-port.ts";
import { bandOf, featuresOf } from "./rules/band.ts";
import { armsOf, askedOf, nothingKnown, type Known } from "./rules/question.ts";
import { TUNING } from "./rules/tuning.ts";

/** What the router is built from: its store, and a clock for when a breaker lets a probe through. */
export interface RouterParts {
  now: Clock;
  log: Log;
  read: (
    key: Pick<DecisionRow, "tenant" | "decision_id" | "task_type" | "band">,
    now: number,
  ) => Promise<Learned>;
  /** Stores a decision and gives the record that counts: that of whoever was first. */
  write: (row: DecisionRow) => Promise<string>;
  changeBreaker: (
    of: { tenant: string; model_id: string },
    rule: (before: ModelBreaker | null) => ModelBreaker | null,
  ) => Promise<boolean>;
  /** The model of a decision whose run is not counted yet; null where it is, or there is none. */
  uncounted: (
    tenant: string,
    decision_id: string,
  ) => Promise<{ model_id: string; is_probe: boolean } | null>;
  writeOutcome: (
    tenant: string,
    told: { outcome: ModelOutcome; at: string; gamma: number },
  ) => Promise<void>;
}

type Choice = Result<ModelDecision, NoModel>;

function choiceOf(record: RoutingRecord): Choice {
  const { answer, inputs } = record;
  const { decision_id } = inputs.asked;
  if (answer.model_id === null) {
    return refuse({ decision_id, removed: [...answer.removed], record });
  }
  const { model_id, band, reasons } = answer;
  return ok({ decision_id, model_id, band, reasons: [...reasons], record });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : "not an error";
}

/** Takes the right to probe a model whose breaker is open; false where somebody else has it, or nobody can tell. */
async function takeProbe(
  parts: RouterParts,
  of: { tenant: string; model_id: string },
): Promise<boolean> {
  const now = parts.now();
  try {
    return await parts.changeBreaker(of, (before) =>
      before !== null && breakerStateOf(before, now) === "probe" ? afterProbe(before, now) : null,
    );
  } catch (error) {
    parts.log("warning", "routing_probe_refused", { ...of, error: textOf(error) });
    return false;
  }
}

/** The decision; a model whose probe somebody else makes is left alone. */
async function decideWith(
  parts: RouterParts,
  { tenant, question, known }: { tenant: string; question: RoutingQuestion; known: Known },
): Promise<RoutingRecord> {
  const asked = askedOf(question);
  const arms = armsOf(question);
  let breakers = known.breakers;
  for (;;) {
    const record = recordOf({ asked, arms, known: { ...known, breakers } }, TUNING);
    const { is_probe, model_id } = record.answer;
    if (!is_probe || model_id === null) return record;
    // oxlint-disable-next-line no-await-in-loop
    if (await takeProbe(parts, { tenant, model_id })) return record;
    breakers = breakers.map((one) => (one.model_id === model_id ? { ...one, state: "open" } : one));
  }
}

async function read(
  parts: RouterParts,
  tenant: string,
  { decision_id, task_type, task_id, description, input_characters, complexity }: RoutingQuestion,
): Promise<Learned> {
  const { band } = bandOf(featuresOf(description, input_characters), complexity);
  try {
    return await parts.read({ tenant, decision_id, task_type, band }, parts.now());
  } catch (error) {
    const fields = { tenant, task_id, decision_id, error: textOf(error) };
    parts.log("warning", "routing_by_priors_alone", fields);
    return { known: nothingKnown(false), record: null };
  }
}

async function choose(
  parts: RouterParts,
  tenant: string,
  question: RoutingQuestion,
): Promise<Choice> {
  const learned = await read(parts, tenant, question);
  const before = learned.record === null ? null : readRecord(learned.record);
  if (before !== null) return choiceOf(before);
  const record = await decideWith(parts, { tenant, question, known: learned.known });
  const { decision_id, task_id, task_type } = question;
  const { band, model_id, is_probe } = record.answer;
  const named = { tenant, decision_id, task_id };
  try {
    const stored = await parts.write({
      ...named,
      task_type,
      band,
      model_id,
      is_probe,
      created_at: instant(parts.now()),
      record: canonicalJson(record),
    });
    return choiceOf(readRecord(stored) ?? record);
  } catch (error) {
    parts.log("error", "routing_decision_not_stored", { ...named, error: textOf(error) });
    return choiceOf(record);
  }
}

async function noteFault(parts: RouterParts, tenant: string, decision_id: string): Promise<void> {
  const asked = await parts.uncounted(tenant, decision_id);
  if (asked === null || asked.model_id === BUILTIN_MODEL_ID) return;
  const { model_id, is_probe } = asked;
  const now = parts.now();
  await parts.changeBreaker({ tenant, model_id }, (before) =>
    afterFault(before, { isProbe: is_probe, now }),
  );
}

async function learn(parts: RouterParts, tenant: string, outcome: ModelOutcome): Promise<void> {
  const { decision_id, provider } = outcome;
  try {
    if (provider === "failed") await noteFault(parts, tenant, decision_id);
    const at = instant(parts.now());
    await parts.writeOutcome(tenant, { outcome, at, gamma: TUNING.gamma });
  } catch (error) {
    parts.log("error", "routing_outcome_lost", { tenant, decision_id, error: textOf(error) });
  }
}

/**
 * Selection as the engine calls it.
 *
 * Neither call fails a task: without D1 the catalogue's expectations decide, the record says so, and what can't be
 * written is in the log. The same decision asked again, and the same outcome told again, change nothing.
 */
export function createRouter(parts: RouterParts): RouterDoor {
  return {
    choose: (tenant, question) => choose(parts, tenant, question),
    learn: (tenant, outcome) => learn(parts, tenant, outcome),
  };
}
