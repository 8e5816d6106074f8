import { atMost } from "../lib/at-most.ts";
import type { Clock } from "../lib/ports.ts";
import { TIMED_OUT, withinLimit } from "../lib/within-limit.ts";
import { historyMessageSchema } from "../protocol/queue-messages.ts";
import { writeHistory } from "./history-store.ts";
import {
  again,
  putAside,
  readArrival,
  type Arrival,
  type Reading,
  type ReadingPorts,
} from "./news-reader.ts";
import { reasonOf } from "./news.ts";
import { project } from "./projection.ts";
import type { Histories } from "./shards/histories.ts";

/** What writing a group of messages has come to. */
export interface HistoryWritten {
  /** Messages by the tenant that they are of. */
  messages: ReadonlyMap<string, number>;
  /** Rows of all of them together: the database does not tell whose. */
  rows: number;
  /** How long the oldest of them had waited. */
  lag_ms: number;
}

/** What the consumer needs from outside. */
export interface HistoryPorts extends ReadingPorts {
  /** Where the histories of tenants are. */
  history: Pick<Histories, "known" | "learn" | "of">;
  /** How long a database is waited for, milliseconds. One that takes more than a third of it is asked once in a batch. */
  patience_ms: number;
  /** How long after its begin a batch still begins to write, milliseconds: what has not begun by then comes again. */
  round_ms: number;
  /** Is told of what was written. */
  written?: (written: HistoryWritten) => void;
  now: Clock;
}

/**
 * Attempts after which a message is written alone.
 *
 * Messages that are written together fail together, so one that D1 never takes must not keep its neighbours.
 */
const ATTEMPTS_TOGETHER = 3;

/**
 * References that are resolved at one time: each stands for news above 128 KB, and a Worker has 128 MB.
 */
const REFERENCES_TOGETHER = 10;

/** Databases that are written to at one time: an invocation has six connections (facts/platform.md §4), and reads as well. */
const DATABASES_TOGETHER = 5;

function notWritten(
  of: readonly Pick<Reading, "message">[],
  error: unknown,
  { log }: HistoryPorts,
): void {
  for (const { message } of of) again(message);
  log("error", "history_write_failed", { messages: of.length, error: String(error) });
}

/** Part of the patience that a write may take: healthy ones take milliseconds, and what is late once is late again. */
const SLOW_PART = 1 / 3;

/** Writes what was read, and acknowledges it if the database answers in time. Whether it was slow, whatever has become of it. */
async function write(
  db: D1Database,
  readings: readonly Reading[],
  ports: HistoryPorts,
): Promise<boolean> {
  const { patience_ms, now } = ports;
  const began = now();
  const isSlow = () => now() - began > patience_ms * SLOW_PART;
  let rows: number | typeof TIMED_OUT;
  try {
    const records = project(readings.map(({ news }) => news));
    rows = await withinLimit(patience_ms, () => writeHistory(db, records));
  } catch (error) {
    notWritten(readings, error, ports);
    return isSlow();
  }
  if (rows === TIMED_OUT) {
    // Whether it has written is not known; to write it again does no harm.
    notWritten(readings, new Error(`no answer in ${patience_ms} ms`), ports);
    return true;
  }
  for (const { message } of readings) message.ack();
  const oldest = Math.min(...readings.map(({ message }) => message.timestamp.getTime()));
  const lag_ms = now() - oldest;
  ports.log("debug", "history_written", { messages: readings.length, lag_ms });
  const byTenant = Map.groupBy(readings, ({ news }) => news.tenant);
  const messages = new Map([...byTenant].map(([tenant, of]) => [tenant, of.length]));
  ports.written?.({ messages, rows, lag_ms });
  return isSlow();
}

/** Messages in groups that are read together and written in one round trip each. */
function groupsOf(arrivals: readonly Arrival[], references_together: number): Arrival[][] {
  const isSuspect = ({ message }: Arrival) => message.attempts > ATTEMPTS_TOGETHER;
  const fresh = arrivals.filter((arrival) => !isSuspect(arrival));
  const whole = fresh.filter(({ body }) => body.form === "whole");
  const references = fresh.filter(({ body }) => body.form === "reference");
  const groups = whole.length === 0 ? [] : [whole];
  for (let start = 0; start < references.length; start += references_together) {
    groups.push(references.slice(start, start + references_together));
  }
  return [...groups, ...arrivals.filter(isSuspect).map((arrival) => [arrival])];
}

/** A batch that is being written. */
interface Round {
  queue: string;
  ports: HistoryPorts;
  /** When it begins no more, milliseconds since the epoch. */
  ends_at: number;
  /** Databases that were slow: each further group would wait as long, and with it the acks of all others. */
  slow: Set<D1Database>;
}

/** How databases are written to beside each other. */
interface Lanes {
  references_together: number;
  /** One of so many databases that are written to at a time. */
  enter: ReturnType<typeof atMost>;
}

/** Why there is no time left to ask anything, or null. */
function lateness({ ports, ends_at }: Round): Error | null {
  return ports.now() < ends_at ? null : new Error("its batch had no time left");
}

/** Writes to one database, a group after the other. One that was slow is asked no more, nor is any when the round is over. */
async function writeAll(
  db: D1Database,
  arrivals: readonly Arrival[],
  round: Round,
  { references_together, enter }: Lanes,
): Promise<void> {
  const { ports, slow } = round;
  for (const group of groupsOf(arrivals, references_together)) {
    await enter(async () => {
      const obstacle = slow.has(db) ? new Error("its database is slow") : lateness(round);
      if (obstacle !== null) return notWritten(group, obstacle, ports);
      const readings = await Promise.all(group.map((arrival) => readArrival(arrival, round)));
      const known = readings.filter((reading) => reading !== null);
      if (known.length > 0 && (await write(db, known, ports))) slow.add(db);
    });
  }
}

/** Messages by where they are written; those of tenants whose database has to be asked for are `unknown`. */
function byDatabase(arrivals: readonly Arrival[], { history }: HistoryPorts) {
  const placed = new Map<D1Database, Arrival[]>();
  const unknown: Arrival[] = [];
  for (const arrival of arrivals) {
    const db = history.known(arrival.body.tenant);
    if (db === null) unknown.push(arrival);
    else placed.set(db, [...(placed.get(db) ?? []), arrival]);
  }
  return { placed, unknown };
}

/** The same once those databases have been asked for; messages of tenants of which that can't be told in time come again. */
async function place(
  arrivals: readonly Arrival[],
  round: Round,
): Promise<Map<D1Database, Arrival[]>> {
  const { ports } = round;
  const byTenant = Map.groupBy(arrivals, ({ body }) => body.tenant);
  const placed = new Map<D1Database, Arrival[]>();
  try {
    await ports.history.learn([...byTenant.keys()]);
  } catch (error) {
    notWritten(arrivals, error, ports);
    return placed;
  }
  for (const [tenant, of] of byTenant) {
    const obstacle = lateness(round);
    if (obstacle !== null) {
      notWritten(of, obstacle, ports);
      continue;
    }
    try {
      const db = await ports.history.of(tenant);
      placed.set(db, [...(placed.get(db) ?? []), ...of]);
    } catch (error) {
      notWritten(of, error, ports);
    }
  }
  return placed;
}

/** Writes messages, to several databases beside each other and to each in turn, so that one that hangs keeps none from the others. */
async function writeBeside(arrivals: readonly Arrival[], round: Round): Promise<void> {
  const { placed, unknown } = byDatabase(arrivals, round.ports);
  const beside = unknown.length > 0 ? DATABASES_TOGETHER : Math.max(placed.size, 1);
  const lanes: Lanes = {
    references_together: Math.floor(REFERENCES_TOGETHER / Math.min(beside, DATABASES_TOGETHER)),
    enter: atMost(DATABASES_TOGETHER),
  };
  const ends = new Map<D1Database, Promise<void>>();
  const begin = (of: ReadonlyMap<D1Database, Arrival[]>) => {
    for (const [db, its] of of) {
      const before = ends.get(db) ?? Promise.resolve();
      ends.set(
        db,
        before.then(() => writeAll(db, its, round, lanes)),
      );
    }
  };
  begin(placed);
  await Promise.all([...ends.values(), place(unknown, round).then(begin)]);
  await Promise.all(ends.values());
}

/**
 * Writes a batch of task news to history: messages that travel whole in one round trip to each database, references in
 * one for each ten, or for fewer where there are several databases.
 *
 * Acknowledges only what was written. What can't be read as news becomes a dead letter; what could not be
 * fetched or written comes again after a growing delay. Safe to repeat, and in any order.
 *
 * The platform hears of what was acknowledged when all are done, so none may be waited for long: a database that took more
 * than a third of `patience_ms` for a write is asked no more in this batch, whatever its answer was, and nothing begins
 * later than `round_ms` after the begin. What is left over comes again.
 */
export async function consumeHistory(
  batch: Pick<MessageBatch<unknown>, "queue" | "messages">,
  ports: HistoryPorts,
): Promise<void> {
  const ends_at = ports.now() + ports.round_ms;
  const round: Round = { queue: batch.queue, ports, ends_at, slow: new Set() };
  const arrivals: Arrival[] = [];
  for (const message of batch.messages) {
    const parsed = historyMessageSchema.safeParse(message.body);
    if (parsed.success) arrivals.push({ message, body: parsed.data });
    else await putAside(message, reasonOf(parsed.error), round);
  }
  await writeBeside(arrivals, round);
}
