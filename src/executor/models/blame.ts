import type { ModelFault } from "./model-port.ts";

/**
 * A provider that says nothing for so long is taken to be away, whatever time a task has; two minutes are what a caller
 * waits for one answer (router/rules/tuning.ts). Milliseconds.
 */
const LONGEST_SILENCE_MS = 120_000;

/** Statuses of a request that the provider has understood, and does not like: another one may please it. */
const OF_REQUEST: readonly (number | null)[] = [400, 413, 415, 422];

/**
 * What a fault says of the provider: that it failed, that it answered, or, null, nothing.
 *
 * It failed where no question would have fared better: it is down, at its limit or silent, does not take the key, or
 * what is at the address is no such model. What a task asked for is not its failure, nor is a task's short time; and
 * where nothing was sent, nothing is known.
 */
export function providerIn({
  class: fault,
  status,
  silent_ms,
}: Pick<ModelFault, "class" | "status" | "silent_ms">): "failed" | "answered" | null {
  if (silent_ms !== undefined && silent_ms < LONGEST_SILENCE_MS) return null;
  switch (fault) {
    case "rate_limited":
    case "unavailable":
    case "network":
    case "unauthorized":
    case "timeout":
      return "failed";
    case "rejected":
      if (status === null) return null;
      return OF_REQUEST.includes(status) ? "answered" : "failed";
    case "too_long":
      return status === null ? null : "answered";
    case "bad_output":
    case "cut_off":
    case "filtered":
      return "answered";
    case "aborted":
      return null;
  }
}
