import type { Insight } from "../../protocol/observation.ts";
import { rounded } from "../findings.ts";

/** A change of an endpoint's level, as the audit has it. */
export interface LevelChange {
  webhook_id: string;
  at: string;
  from: number;
  to: number;
  why: string;
}

/** How often an endpoint must get into trouble to be flapping: it was well, or better, twice in between. */
const FEWEST_FALLS = 3;

/** Endpoints of several objects tell of one trouble several times: what comes so soon after is the same. Milliseconds. */
const SAME_MS = 60_000;

/** The level at which nothing is sent but probes. */
const OPEN_LEVEL = 3;

/** First steps into trouble; those within a minute are one, and so are all until it was better in between. */
function fallsOf(changes: readonly LevelChange[]): LevelChange[] {
  const falls: LevelChange[] = [];
  let wasBetter = true;
  for (const change of changes) {
    const last = falls.at(-1);
    const isSame = last !== undefined && Date.parse(change.at) - Date.parse(last.at) < SAME_MS;
    const isWorse = change.to > change.from;
    if (isWorse && wasBetter && !isSame) falls.push(change);
    wasBetter = !isWorse;
  }
  return falls;
}

/**
 * Endpoints whose breaker goes up again and again: receivers that come back and fail again.
 *
 * @param changes of the window, in any order
 */
export function flappingEndpoints(changes: readonly LevelChange[]): Insight[] {
  const sorted = changes.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  return [...Map.groupBy(sorted, ({ webhook_id }) => webhook_id)].flatMap(
    ([id, own]): Insight[] => {
      const falls = fallsOf(own);
      const [first, last] = [falls[0], falls.at(-1)];
      if (first === undefined || last === undefined || falls.length < FEWEST_FALLS) return [];
      const hours = (Date.parse(last.at) - Date.parse(first.at)) / 3_600_000;
      const highest_level = Math.max(...own.map(({ to }) => to));
      return [
        {
          rule: "flapping_endpoint",
          severity: highest_level >= OPEN_LEVEL ? "error" : "warning",
          subject: { kind: "webhook", id },
          title: `Webhook ${id} got into trouble ${falls.length} times`,
          evidence: {
            falls: falls.length,
            changes: own.length,
            highest_level,
            present_level: own.at(-1)?.to ?? 0,
            first_at: first.at,
            last_at: last.at,
            hours_between: rounded(hours / (falls.length - 1)),
            last_why: last.why,
          },
          score: falls.length,
        },
      ];
    },
  );
}
