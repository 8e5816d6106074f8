import { instant, type Clock } from "../lib/ports.ts";
import type { TaskType } from "../protocol/enums.ts";
import type { TypeHistory } from "./type-history.ts";

/** How long what was read is good, and how far back it goes. Milliseconds. */
const TRUST_MS = 60_000;
const LOOK_BACK_MS = 30 * 86_400_000;

/** A reading that has taken so long was cut off. Milliseconds. */
const LONGEST_READING_MS = 10_000;

/** The longest that whoever asks waits for an answer: an estimate is not worth more. Milliseconds. */
const PATIENCE_MS = 250;

/** Tenants that an isolate remembers. */
const MAX_TENANTS = 1_000;

/** How the tasks of each type have gone. */
export type TypeHistories = ReadonlyMap<TaskType, TypeHistory>;

/** What is asked when nothing is remembered. */
export interface KnownHistoriesParts {
  now: Clock;
  /** @throws when D1 fails */
  read: (tenant: string, since: string) => Promise<TypeHistories>;
  /** Lets so many milliseconds pass. */
  pause: (ms: number) => Promise<void>;
}

/** What an isolate remembers of one tenant. */
interface Known {
  histories: TypeHistories;
  /** 0 until it has been read. */
  until: number;
  /** When it was last begun to be read: the platform may cut that off, so it is not waited for. */
  begun_at: number;
}

/**
 * How the tasks of each type have gone in the last 30 days. What is older than a minute is read again by whoever comes
 * first, who gives it 250 ms; meanwhile, and when it takes longer, what is known serves on.
 *
 * Estimates are never worth a failure, nor a wait: when history can't be read, or not within 250 ms, what was known
 * before is given, or nothing.
 */
export function createKnownHistories({ now, read, pause }: KnownHistoriesParts) {
  const known = new Map<string, Known>();
  const readAgain = async (tenant: string, into: Known): Promise<void> => {
    try {
      into.histories = await read(tenant, instant(now() - LOOK_BACK_MS));
    } catch {
      // The guard of the database has logged it.
    }
    into.until = now() + TRUST_MS;
  };
  return async (tenant: string): Promise<TypeHistories> => {
    const asked = now();
    const last = known.get(tenant);
    if (last !== undefined && asked < last.until) return last.histories;
    if (known.size >= MAX_TENANTS && last === undefined) known.clear();
    const entry = last ?? { histories: new Map<TaskType, TypeHistory>(), until: 0, begun_at: 0 };
    known.set(tenant, entry);
    const isNew = entry.until === 0;
    const isBeingRead = asked < entry.begun_at + LONGEST_READING_MS;
    if (!isNew && isBeingRead) return entry.histories;
    entry.begun_at = asked;
    const reading = readAgain(tenant, entry);
    await Promise.race([reading, pause(PATIENCE_MS)]);
    return entry.histories;
  };
}
