import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import { TIMED_OUT, withinLimit } from "../../lib/within-limit.ts";
import type { Overview } from "../../protocol/overview.ts";
import { overviewOf, type Found } from "./overview.ts";

/** The longest that an overview waits for one of its sources. Milliseconds. */
export const LIMIT_MS = 500;

/**
 * Who looks again and again asks the sources that are dear, or change slowly, so often: pools and endpoints are objects,
 * and a day's figures are many rows. Milliseconds.
 */
const SLOW_MS = 10_000;

/** Where each part comes from. */
export type Sources = {
  readonly [Source in keyof Found]: (tenant: string) => Promise<NonNullable<Found[Source]>>;
};

/** What looking needs. */
export interface LookParts {
  now: Clock;
  log: Log;
  sources: Sources;
}

/** Asks a source; null when it fails or is slow: the others are shown nevertheless. */
type Ask = <Value>(
  name: keyof Found,
  read: (tenant: string) => Promise<Value>,
) => Promise<Value | null>;

function asker({ log }: LookParts, tenant: string): Ask {
  return async (name, read) => {
    try {
      const answer = await withinLimit(LIMIT_MS, () => read(tenant));
      if (answer !== TIMED_OUT) return answer;
      log("warning", "overview_part_slow", { tenant, part: name, limit_ms: LIMIT_MS });
    } catch (error) {
      log("warning", "overview_part_failed", { tenant, part: name, error: String(error) });
    }
    return null;
  };
}

/** What happened in these minutes, and what is open now: asked at each look. */
async function quick(ask: Ask, sources: Sources): Promise<Pick<Found, "open" | "hour">> {
  const [open, hour] = await Promise.all([ask("open", sources.open), ask("hour", sources.hour)]);
  return { open, hour };
}

async function slow(ask: Ask, sources: Sources): Promise<Omit<Found, "open" | "hour">> {
  const [day, meter, due, agents, alerts, objectives, health] = await Promise.all([
    ask("day", sources.day),
    ask("meter", sources.meter),
    ask("due", sources.due),
    ask("agents", sources.agents),
    ask("alerts", sources.alerts),
    ask("objectives", sources.objectives),
    ask("health", sources.health),
  ]);
  return { day, meter, due, agents, alerts, objectives, health };
}

/**
 * Looks at a tenant again and again. What is dear to ask is ten seconds old at most; a look never fails, and takes half a
 * second at most.
 */
export function watchOverview(parts: LookParts, tenant: string): () => Promise<Overview> {
  const ask = asker(parts, tenant);
  let known: { slow: Omit<Found, "open" | "hour">; until: number } | null = null;
  return async () => {
    const now = parts.now();
    const still = known !== null && now < known.until ? known : null;
    const [fresh, dear] = await Promise.all([
      quick(ask, parts.sources),
      still?.slow ?? slow(ask, parts.sources),
    ]);
    known = still ?? { slow: dear, until: now + SLOW_MS };
    return overviewOf({ ...fresh, ...dear }, parts.now());
  };
}
