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
  /** How long a database is waited for, milliseconds. */
  patience_ms: number;
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

/** What a database has not said a word to in time. Whether it has written is not known; to write it again does no harm. */
function silence(patience_ms: number): Error {
  return new Error(`no answer in ${patience_ms} ms`);
}

/** Writes what was read, and acknowledges it. False when the database has not answered in time. */
async function write(
  db: D1Database,
  readings: readonly Reading[],
  ports: HistoryPorts,
): Promise<boolean> {
  const { patience_ms } = ports;
  let rows: number | typeof TIMED_OUT;
  try {
    const records = project(readings.map(({ news }) => news));
    rows = await withinLimit(patience_ms, () => writeHistory(db, records));
  } catch (error) {
    notWritten(readings, error, ports);
    return true;
  }
  if (rows === TIMED_OUT) {
    notWritten(readings, silence(patience_ms), ports);
    return false;
  }
  for (const { message } of readings) message.ack();
  const oldest = Math.min(...readings.map(({ message }) => message.timestamp.getTime()));
  const lag_ms = ports.now() - oldest;
  ports.log("debug", "history_written", { messages: readings.length, lag_ms });
  const byTenant = Map.groupBy(readings, ({ news }) => news.tenant);
  const messages = new Map([...byTenant].map(([tenant, of]) => [tenant, of.length]));
  ports.written?.({ messages, rows, lag_ms });
  return true;
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

/** What the writing of one batch goes by. */
interface Round {
  queue: string;
  ports: HistoryPorts;
  references_together: number;
  /** One of so many databases that are written to at a time. */
  enter: ReturnType<typeof atMost>;
  /** Those that have not answered in time. */
  silent: Set<D1Database>;
}

/** Writes to one database, a group after the other. One that has not answered is asked no more in this batch. */
async function writeAll(
  db: D1Database,
  arrivals: readonly Arrival[],
  { ports, silent, enter, ...round }: Round,
): Promise<void> {
  const context = { queue: round.queue, ports };
  for (const group of groupsOf(arrivals, round.references_together)) {
    await enter(async () => {
      if (silent.has(db)) return notWritten(group, silence(ports.patience_ms), ports);
      const readings = await Promise.all(group.map((arrival) => readArrival(arrival, context)));
      const known = readings.filter((reading) => reading !== null);
      const isAnswered = known.length === 0 || (await write(db, known, ports));
      if (!isAnswered) silent.add(db);
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

/** The same once those databases have been asked for; messages of tenants of which that can't be told come again. */
async function place(
  arrivals: readonly Arrival[],
  ports: HistoryPorts,
): Promise<Map<D1Database, Arrival[]>> {
  const byTenant = Map.groupBy(arrivals, ({ body }) => body.tenant);
  const placed = new Map<D1Database, Arrival[]>();
  try {
    await ports.history.learn([...byTenant.keys()]);
  } catch (error) {
    notWritten(arrivals, error, ports);
    return placed;
  }
  for (const [tenant, of] of byTenant) {
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
async function writeBeside(
  arrivals: readonly Arrival[],
  context: { queue: string; ports: HistoryPorts },
): Promise<void> {
  const { placed, unknown } = byDatabase(arrivals, context.ports);
  const beside = unknown.length > 0 ? DATABASES_TOGETHER : Math.max(placed.size, 1);
  const round: Round = {
    ...context,
    references_together: Math.floor(REFERENCES_TOGETHER / Math.min(beside, DATABASES_TOGETHER)),
    enter: atMost(DATABASES_TOGETHER),
    silent: new Set(),
  };
  const ends = new Map<D1Database, Promise<void>>();
  const begin = (of: ReadonlyMap<D1Database, Arrival[]>) => {
    for (const [db, its] of of) {
      const before = ends.get(db) ?? Promise.resolve();
      ends.set(
        db,
        before.then(() => writeAll(db, its, round)),
      );
    }
  };
  begin(placed);
  await Promise.all([...ends.values(), place(unknown, context.ports).then(begin)]);
  await Promise.all(ends.values());
}

/**
 * Writes a batch of task news to history: messages that travel whole in one round trip to each database, references in
 * one for each ten, or for fewer where there are several databases.
 *
 * Acknowledges only what was written. What can't be read as news becomes a dead letter; what could not be
 * fetched or written comes again after a growing delay. Safe to repeat, and in any order. A database that does not answer
 * keeps nothing of the others waiting; the platform hears of what was acknowledged when all are done, so it is given up
 * after `patience_ms`.
 */
export async function consumeHistory(
  batch: Pick<MessageBatch<unknown>, "queue" | "messages">,
  ports: HistoryPorts,
): Promise<void> {
  const context = { queue: batch.queue, ports };
  const arrivals: Arrival[] = [];
  for (const message of batch.messages) {
    const parsed = historyMessageSchema.safeParse(message.body);
    if (parsed.success) arrivals.push({ message, body: parsed.data });
    else await putAside(message, reasonOf(parsed.error), context);
  }
  await writeBeside(arrivals, context);
}
