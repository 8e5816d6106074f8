import type { Forecast } from "../protocol/forecast.ts";
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
import { capacityAhead } from "./insight/ahead.ts";
import { budgetEaters } from "./insight/budget.ts";
import { flappingEndpoints, type LevelChange } from "./insight/flapping.ts";
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

/** How many times the window the time is long that findings compare with. */
export const PAST_WINDOWS = 3;

/** What findings rest on besides tasks. */
export interface Surroundings {
  /** Questions that wait for an answer. */
  open: readonly Question[];
  /** Of endpoints, within the window. */
  changes: readonly LevelChange[];
  /** Null where it could not be made. */
  forecast: Forecast | null;
  /** Whether these are all tasks of both times, so that their sums may be compared. */
  areAllRuns: boolean;
}

/**
 * What stands out, the finding that costs the most tasks first; nothing where nothing happened.
 *
 * @param now epoch milliseconds
 */
export function insightsOf(
  runs: Runs,
  { open, changes, forecast, areAllRuns }: Surroundings,
  now: number,
): Insight[] {
  const found = [
    ...RULES.flatMap((rule) => rule(runs)),
    ...budgetEaters(runs, areAllRuns ? PAST_WINDOWS : null),
    ...waitingQuestions(open, now),
    ...flappingEndpoints(changes),
    ...(forecast === null ? [] : capacityAhead(forecast)),
  ];
  return found.toSorted((a, b) => b.score - a.score || (nameOf(a) < nameOf(b) ? -1 : 1));
}
