import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";

/** Rows that are looked at together: some ten milliseconds of a database's one thread, even where all of them go. */
const PAGE = 10_000;

/**
 * Pages of one run, over all databases: two statements each, of the 1,000 that an invocation has (facts/platform.md §4). 288
 * runs of a day look at 115 million rows, three times what a database of 10 GB has room for.
 */
const MAX_PAGES = 40;

/**
 * Pages of a database after which is written how far it has come: a run that is cut off, or has no statement left, repeats no
 * more than that.
 */
const NOTE_EVERY = 4;

/** A round begins so long after the one before it, at the earliest: by that much a row outlives its days. Milliseconds. */
const ROUND_MS = 86_400_000;

/** The key of the last row that was looked at; empty texts are in front of all rows. */
export interface RemovedKey {
  tenant: string;
  task_id: string;
}

/** How far a round through a database's removed tasks has come. */
export interface Round extends RemovedKey {
  /** When it began, RFC 3339. */
  began_at: string;
}

/** What was found on a page of removed tasks. */
export interface ForgottenPage {
  /** Rows that went. */
  count: number;
  /** Behind which the next page begins; null where this was the last one. */
  next: RemovedKey | null;
}

/** What the forgetting of removed tasks needs from outside. */
export interface ForgettingPorts {
  now: Clock;
  log: Log;
  /** How long after its removal a row is kept: for as long as it is told, and the margin. Milliseconds. */
  retentionMs: number;
  /** Names of the databases that have removed tasks. */
  databases: readonly string[];
  /** Null before the first round. */
  readRound: (database: string) => Promise<Round | null>;
  writeRound: (database: string, round: Round) => Promise<void>;
  /** Forgets those of a page that were removed before an instant. */
  forget: (
    database: string,
    page: { behind: RemovedKey; before: string; limit: number },
  ) => Promise<ForgottenPage>;
}

/** A database in one run. */
interface Walk {
  database: string;
  round: Round;
  /** Pages that it has moved on since that was last written. */
  unwritten: number;
  /** Whether it needs no further page of this run: its round is over, or it failed. */
  isDone: boolean;
}

const FRONT: RemovedKey = { tenant: "", task_id: "" };

/** The round that a database is on; null while the next one has time. */
function roundAt(known: Round | null, now: number): Round | null {
  const isBetween = known === null || (known.tenant === "" && known.task_id === "");
  if (!isBetween) return known;
  if (known !== null && now < Date.parse(known.began_at) + ROUND_MS) return null;
  return { ...FRONT, began_at: instant(now) };
}

function tellFailure({ log }: ForgettingPorts, binding: string, error: unknown): void {
  log("error", "removed_not_forgotten", { binding, error: String(error) });
}

/** Databases that have something to look at, each where it stands. One that cannot be asked keeps no other waiting. */
async function walksOf(ports: ForgettingPorts): Promise<Walk[]> {
  const found = await Promise.all(
    ports.databases.map(async (database): Promise<Walk | null> => {
      try {
        const round = roundAt(await ports.readRound(database), ports.now());
        return round === null ? null : { database, round, unwritten: 0, isDone: false };
      } catch (error) {
        tellFailure(ports, database, error);
        return null;
      }
    }),
  );
  return found.filter((walk) => walk !== null);
}

/** Looks at one more page of a database; how many rows went. */
async function walkPage(ports: ForgettingPorts, walk: Walk, before: string): Promise<number> {
  const { database, round } = walk;
  const { tenant, task_id } = round;
  try {
    const page = { behind: { tenant, task_id }, before, limit: PAGE };
    const { count, next } = await ports.forget(database, page);
    walk.round = { ...round, ...(next ?? FRONT) };
    walk.unwritten += 1;
    walk.isDone = next === null;
    return count;
  } catch (error) {
    tellFailure(ports, database, error);
    walk.isDone = true;
    return 0;
  }
}

/** Writes how far a database has come, if it has. What cannot be written is with the next page, or comes again. */
async function note(ports: ForgettingPorts, walk: Walk): Promise<void> {
  if (walk.unwritten === 0) return;
  try {
    await ports.writeRound(walk.database, walk.round);
    walk.unwritten = 0;
  } catch (error) {
    tellFailure(ports, walk.database, error);
  }
}

/** A turn of a database: one page, and now and then how far it has come. How many rows went. */
async function takeTurn(ports: ForgettingPorts, walk: Walk, before: string): Promise<number> {
  const count = await walkPage(ports, walk, before);
  if (walk.isDone || walk.unwritten >= NOTE_EVERY) await note(ports, walk);
  return count;
}

/**
 * Forgets tasks that were removed for longer than their rows are kept: their ids are free again. What the archive has of them
 * stays there.
 *
 * A round a day goes through the table of each database by its key, though age has nothing to do with that: an index by age
 * would cost a row written for every task, and to read a row costs a thousandth of that. A run goes on where the last one
 * stopped, for 400,000 rows at most; the databases take turns. Never fails: a database of which something could not be read
 * or written comes again, and keeps none of the others waiting.
 */
export async function forgetRemoved(ports: ForgettingPorts): Promise<void> {
  const before = instant(ports.now() - ports.retentionMs);
  const walks = await walksOf(ports);
  let pages = 0;
  let count = 0;
  for (;;) {
    const turn = walks.filter(({ isDone }) => !isDone).slice(0, MAX_PAGES - pages);
    if (turn.length === 0) break;
    pages += turn.length;
    const counts = await Promise.all(turn.map((walk) => takeTurn(ports, walk, before)));
    count += counts.reduce((sum, one) => sum + one, 0);
  }
  await Promise.all(walks.map((walk) => note(ports, walk)));
  if (count > 0) ports.log("info", "removed_forgotten", { count });
}
