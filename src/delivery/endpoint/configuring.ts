import { resumed, type BreakerStep } from "../breaker.ts";
import type { EndpointConfig } from "../endpoint-config.ts";
import { firstFacts, type EndpointFacts } from "./endpoint-store.ts";
import { reportOf } from "./ledger.ts";

/**
 * What an endpoint knows of itself under a new configuration.
 *
 * One that becomes active again is tried at once, whatever the receiver asked for or did before (protocol.md §7,
 * Webhooks). `now` in epoch milliseconds.
 */
export function changedFacts(
  before: EndpointFacts | null,
  config: EndpointConfig,
  now: number,
): EndpointFacts {
  if (before === null) return firstFacts(config);
  const facts = { ...before, config, isIndexComplete: false };
  const isBack = before.config.state !== "active" && config.state === "active";
  return isBack ? resumedFacts(facts, now) : facts;
}

/** The same endpoint when an operator wants it served again. */
export function resumedFacts(facts: EndpointFacts, now: number): EndpointFacts {
  const step: BreakerStep = resumed(facts.breaker, now);
  const reports =
    step.change === null ? facts.reports : [...facts.reports, reportOf(facts, step.change, now)];
  return { ...facts, pausedUntil: 0, breaker: step.state, reports };
}
