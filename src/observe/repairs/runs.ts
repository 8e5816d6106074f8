import { instant } from "../../lib/ports.ts";
import type { Repairs, SweepRun } from "../../protocol/repairs.ts";

/* Which runs are remembered. */

/** Runs that are remembered. */
const MOST_RUNS = 20;

/** A run that did nothing is noted this long after the last one, so that the sweeper is seen to live. Milliseconds. */
const SIGN_OF_LIFE_MS = 3_600_000;

/** Without a note for so long, the sweeper is not at work: two signs of life. Milliseconds. */
const LATE_MS = 2 * SIGN_OF_LIFE_MS;

function didNothing({ tenants, broken }: SweepRun): boolean {
  return Object.keys(tenants).length === 0 && broken.length === 0;
}

/**
 * The runs to remember after one more, newest first; null where nothing is to be written.
 *
 * A run that did nothing takes the place of the last that did nothing, once an hour: an idle installation writes 24
 * rows a day.
 */
export function runsAfter(known: readonly SweepRun[], run: SweepRun): SweepRun[] | null {
  const last = known[0];
  if (!didNothing(run)) return [run, ...known].slice(0, MOST_RUNS);
  const isRecent = last !== undefined && last.at > instant(Date.parse(run.at) - SIGN_OF_LIFE_MS);
  if (isRecent) return null;
  return [run, ...known.filter((one) => !didNothing(one))].slice(0, MOST_RUNS);
}

/** What a tenant is shown of the runs: what they did for it, and what broke. @param now epoch milliseconds */
export function shownRuns(
  runs: readonly SweepRun[],
  tenant: string,
  now: number,
): Pick<Repairs, "at" | "swept_at" | "is_sweeper_late" | "runs"> {
  const swept_at = runs.find(({ cause }) => cause === "sweep")?.at ?? null;
  return {
    at: instant(now),
    swept_at,
    is_sweeper_late: swept_at === null || swept_at < instant(now - LATE_MS),
    runs: runs
      .map(({ tenants, ...facts }) => ({ ...facts, repairs: tenants[tenant] ?? [] }))
      .filter(({ repairs, broken }) => repairs.length > 0 || broken.length > 0),
  };
}
