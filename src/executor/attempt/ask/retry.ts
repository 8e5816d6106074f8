import type { ModelFault, ModelFaultClass } from "../../models/model-port.ts";

/** What a fault of a model calls for: the same question once more, a correction, another model, or the end. */
export type FaultMove = "again" | "correct" | "another" | "stop";

/** Wait before the same question when the provider names none. Milliseconds. */
const PAUSE_MS = 1_000;

/** The longest wait for a provider; beyond it another model is nearer. Milliseconds. */
const LONGEST_PAUSE_MS = 60_000;

/** Whether a fault of this class may be gone by itself later. */
export function isTransient(fault: ModelFaultClass): boolean {
  switch (fault) {
    case "rate_limited":
    case "unavailable":
    case "timeout":
    case "network":
      return true;
    case "bad_output":
    case "cut_off":
    case "filtered":
    case "unauthorized":
    case "rejected":
    case "too_long":
    case "aborted":
      return false;
  }
}

/** What a fault calls for at first sight, by its class. */
export function moveOf(fault: ModelFaultClass): FaultMove {
  switch (fault) {
    case "rate_limited":
    case "unavailable":
    case "timeout":
    case "network":
      return "again";
    case "bad_output":
    case "cut_off":
      return "correct";
    case "filtered":
    case "unauthorized":
    case "rejected":
    case "too_long":
      return "another";
    case "aborted":
      return "stop";
  }
}

/**
 * How long to wait before the same model is asked once more, milliseconds; null when another one is the better way:
 * after the second fault in a row, or when the wait would take half of what is left.
 *
 * @param faults transient ones of this question so far, this one included
 */
export function pauseBeforeRetry(
  { class: fault, retry_after_ms }: Pick<ModelFault, "class" | "retry_after_ms">,
  faults: number,
  time_left_ms: number,
): number | null {
  if (moveOf(fault) !== "again" || faults > 1) return null;
  const pause = retry_after_ms ?? PAUSE_MS;
  return pause > LONGEST_PAUSE_MS || pause * 2 > time_left_ms ? null : pause;
}
