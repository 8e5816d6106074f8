import type { Insight } from "../protocol/observation.ts";
import { DIAGNOSIS_WEIGHT, dominantCause, rounded, severityOf } from "./findings.ts";
import type { Runs } from "./findings.ts";
import { causeOf, failuresOf, isSuccess } from "./run.ts";
import type { Run } from "./run.ts";

/** Tasks that must have had the same problem: fewer are an anecdote. */
const FEWEST_TASKS = 5;

/** A problem that the task got over costs this share of one that it did not. */
const OVERCOME_SHARE = 0.5;

/** Names that one text of the evidence holds. */
const MOST_NAMES = 3;

/** Everything that went wrong in a run, each class once: by its report, else by the error that it ended with. */
function classesOf(run: Run): string[] {
  if (run.troubles.length > 0) return run.troubles.map(({ class: word }) => word);
  return failuresOf([run]).map(causeOf);
}

/** The most frequent values with their counts, most frequent first, ties by name: `general 4, research 1`. */
function frequent(values: readonly string[]): string {
  return [...Map.groupBy(values, (value) => value)]
    .map(([value, { length }]) => ({ value, length }))
    .toSorted((a, b) => b.length - a.length || (a.value < b.value ? -1 : 1))
    .slice(0, MOST_NAMES)
    .map(({ value, length }) => `${value} ${length}`)
    .join(", ");
}

function findingOf(word: string, runs: readonly Run[], ended: number): Insight {
  const succeeded = runs.filter(isSuccess).length;
  const failed = failuresOf(runs).length;
  const remedies = runs.flatMap(({ troubles }) =>
    troubles.flatMap((trouble) => (trouble.class === word ? (trouble.remedy ?? []) : [])),
  );
  return {
    rule: "recurring_cause",
    severity: severityOf(failed, ended),
    subject: { kind: "failure_cause", id: word },
    title: `${runs.length} of ${ended} tasks had the problem ${word}, and ${succeeded} of them succeeded nonetheless`,
    evidence: {
      ended,
      tasks: runs.length,
      share: rounded(runs.length / ended),
      task_types: frequent(runs.map(({ task_type }) => task_type)),
      agents: frequent(runs.flatMap(({ agent_id }) => agent_id ?? [])),
      effect: `failed ${failed}, succeeded ${succeeded}, cancelled ${runs.length - failed - succeeded}`,
      action: frequent(remedies),
    },
    score: rounded((failed + (runs.length - failed) * OVERCOME_SHARE) * DIAGNOSIS_WEIGHT),
  };
}

/**
 * Problems that tasks have again and again, however they end: also those that retries hide. One finding for each class,
 * but for the one that `dominant_failure_cause` names already.
 */
export function recurringCauses(runs: Runs): Insight[] {
  const ended = runs.now.filter(({ end_reason }) => end_reason !== null);
  const told = new Set(dominantCause(runs).map(({ subject }) => subject.id));
  const occurrences = ended.flatMap((run) => classesOf(run).map((word) => ({ word, run })));
  return [...Map.groupBy(occurrences, ({ word }) => word)]
    .filter(([word, { length }]) => length >= FEWEST_TASKS && !told.has(word))
    .map(([word, of]) =>
      findingOf(
        word,
        of.map(({ run }) => run),
        ended.length,
      ),
    );
}
