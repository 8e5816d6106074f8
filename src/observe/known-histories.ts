import { instant, type Clock } from "../lib/ports.ts";
import type { TaskType } from "../protocol/enums.ts";
import type { TypeHistory } from "./type-history.ts";

/** How long what was read is good, and how far back it goes. Milliseconds. */
const TRUST_MS = 60_000;
const LOOK_BACK_MS = 30 * 86_400_000;

/** Tenants that an isolate remembers. */
const MAX_TENANTS = 1_000;

/** How the tasks of each type have gone. */
export type TypeHistories = ReadonlyMap<TaskType, TypeHistory>;

/** What is asked when nothing is remembered. */
export interface KnownHistoriesParts {
  now: Clock;
  /** @throws when D1 fails */
  read: (tenant: string, since: string) => Promise<TypeHistories>;
}

/**
 * How the tasks of each type have gone in the last 30 days, a minute old at most.
 *
 * Estimates are never worth a failure: when history can't be read, what was known before is given, or nothing.
 */
export function createKnownHistories({ now, read }: KnownHistoriesParts) {
  const known = new Map<string, { histories: TypeHistories; until: number }>();
  return async (tenant: string): Promise<TypeHistories> => {
    const asked = now();
    const last = known.get(tenant);
    if (last !== undefined && asked < last.until) return last.histories;
    let histories: TypeHistories;
    try {
      histories = await read(tenant, instant(asked - LOOK_BACK_MS));
    } catch {
      // The guard of the database has logged it.
      histories = last?.histories ?? new Map<TaskType, TypeHistory>();
    }
    if (known.size >= MAX_TENANTS) known.clear();
    known.set(tenant, { histories, until: asked + TRUST_MS });
    return histories;
  };
}
