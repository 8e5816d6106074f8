import type { Insight } from "../protocol/observation.ts";
import {
  costOutliers,
  dominantCause,
  failureRatesRisen,
  missingCapacity,
  slowAgents,
  uselessRetries,
  waitingQuestions,
} from "./findings.ts";
import type { Runs } from "./findings.ts";
import { recurringCauses } from "./recurring.ts";
import type { Question } from "./run.ts";

const RULES = [
  failureRatesRisen,
  slowAgents,
  dominantCause,
  uselessRetries,
  missingCapacity,
  costOutliers,
  recurringCauses,
];

/** Place of equals in the list: by name, so that the same facts always give the same list. */
function nameOf({ rule, subject }: Insight): string {
  return `${rule}/${subject.kind}/${subject.id}`;
}

/**
 * What stands out, the finding that costs the most tasks first; nothing where nothing happened.
 *
 * @param open questions that wait for an answer
 * @param now epoch milliseconds
 */
export function insightsOf(runs: Runs, open: readonly Question[], now: number): Insight[] {
  return [...RULES.flatMap((rule) => rule(runs)), ...waitingQuestions(open, now)].toSorted(
    (a, b) => b.score - a.score || (nameOf(a) < nameOf(b) ? -1 : 1),
  );
}
