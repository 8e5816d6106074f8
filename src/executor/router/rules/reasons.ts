import type { RoutingAnswer } from "./choose.ts";
import type { Asked, Known } from "./question.ts";
import type { Candidate } from "./score.ts";

/* Why a choice is as it is, in sentences for whoever reads a task's log. */

/** Sentences about arms that were not chosen: the record has them all. */
const MOST_TOLD = 5;

const digits = (value: number): string => String(Number(value.toPrecision(3)));

function told({ model_id, score, mean, n, cost_usd, latency_s }: Candidate): string {
  return `${model_id}: score ${digits(score)}, expected quality ${digits(mean)} (${digits(n)} observations), $${digits(cost_usd)}, ${digits(latency_s)} s`;
}

function ofBand({ band, band_score, band_by }: Omit<RoutingAnswer, "reasons">): string {
  return band_by === "caller"
    ? `The caller says that the task is of ${band} complexity.`
    : `The task is of ${band} complexity (${digits(band_score)}).`;
}

function ofOthers(answer: Omit<RoutingAnswer, "reasons">): string[] {
  const others = answer.candidates.filter(({ model_id }) => model_id !== answer.model_id);
  const heldBack = others
    .filter(({ is_held_back }) => is_held_back)
    .map(
      ({ model_id, mean, n }) =>
        `${model_id} is held back: expected quality ${digits(mean)} on ${digits(n)} observations, and ${answer.default_model_id} sets the floor at ${digits(answer.floor ?? 0)}.`,
    );
  const removed = answer.removed.map(({ model_id, reason }) => `${model_id} is out: ${reason}.`);
  return [...heldBack, ...removed].slice(0, MOST_TOLD);
}

function ofMemory(answer: Omit<RoutingAnswer, "reasons">, { avoided }: Asked): string[] {
  const compared = new Set(answer.candidates.map(({ model_id }) => model_id));
  return avoided
    .filter(({ model_id }) => compared.has(model_id))
    .map(
      ({ model_id, memory_ids }) => `Memory advises against ${model_id}: ${memory_ids.join(", ")}.`,
    );
}

/** Short sentences, the most important first. */
export function reasonsOf(
  answer: Omit<RoutingAnswer, "reasons">,
  { asked, known }: { asked: Asked; known: Known },
): string[] {
  const chosen = answer.candidates.find(({ model_id }) => model_id === answer.model_id);
  const second = answer.candidates.find(
    (one) => one.model_id !== answer.model_id && !one.is_held_back,
  );
  return [
    chosen === undefined
      ? "No arm is left by the filters."
      : `Best for the objective ${asked.objective} is ${told(chosen)}.`,
    ...(known.is_complete
      ? []
      : ["What was learned could not be read: the catalogue's expectations alone decide."]),
    ...(second === undefined || chosen === undefined ? [] : [`Next is ${told(second)}.`]),
    ...(answer.is_probe ? [`${answer.model_id} is tried again after its failures.`] : []),
    ...ofMemory(answer, asked),
    ofBand(answer),
    ...ofOthers(answer),
  ];
}
