import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import { refuse, type Result } from "../lib/result.ts";
import { historyMessageSchema, type HistoryMessage } from "../protocol/queue-messages.ts";
import { writeHistory } from "./history-store.ts";
import { readNews, reasonOf, type NewsOrigin, type RawNews, type TaskNews } from "./news.ts";
import { project } from "./projection.ts";

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
export interface HistoryPorts {
  /** The database of a tenant's history. */
  db: (tenant: string) => Promise<D1Database>;
  /**
   * The task's view, events after `after`, and its escalation, from the task's object; null when that is empty.
   * It may give only some of the events: it is asked again for those that follow.
   */
  read: (tenant: string, task_id: string, after: number) => Promise<RawNews | null>;
  /** Puts a message aside for good; throws when even that fails. */
  deadLetter: (queue: string, reason: string, body: string) => Promise<void>;
  /** Is told of what was written. */
  written?: (written: HistoryWritten) => void;
  log: Log;
  now: Clock;
}

/** Characters of a dead letter's body: a message holds 128 KB (facts/platform.md §4). */
const DEAD_LETTER_LENGTH = 30_000;

/**
 * Attempts after which a message is written alone.
 *
 * Messages that are written together fail together, so one that D1 never takes must not keep its neighbours.
 */
const ATTEMPTS_TOGETHER = 3;

const MAX_DELAY_SECONDS = 300;

/** Delay before a message is tried again: 10, 20, 40 … 300 seconds, by the attempts already made. */
function retryDelaySeconds(attempts: number): number {
  return Math.min(MAX_DELAY_SECONDS, 2 ** attempts * 5);
}

/**
 * References that are resolved at one time: each stands for news above 128 KB, and a Worker has 128 MB.
 */
const REFERENCES_TOGETHER = 10;

/** A message whose form is right. */
interface Arrival {
  message: Message;
  body: HistoryMessage;
}

/** A message whose news are known. */
interface Reading {
  message: Message;
  news: TaskNews;
}

/** The news of two pages as one: the later page has the newer view. */
function together(before: TaskNews | null, page: TaskNews): TaskNews {
  if (before === null) return page;
  const earlier = [...(before.earlier ?? []), ...(page.earlier ?? [])];
  return {
    ...page,
    events: [...before.events, ...page.events],
    ...(earlier.length > 0 && { earlier }),
    ...(before.body_hash !== undefined && { body_hash: before.body_hash }),
  };
}

/** Everything that a reference stands for, page by page. Null when the task's object has nothing. */
async function resolve(
  message: Extract<HistoryMessage, { form: "reference" }>,
  read: HistoryPorts["read"],
): Promise<Result<TaskNews, string>> {
  const { tenant, task_id, rebuild } = message;
  const origin: NewsOrigin = { tenant, task_id, isRebuild: rebuild === true };
  let whole: TaskNews | null = null;
  let after = rebuild === true ? 0 : message.after;
  for (;;) {
    const raw = await read(tenant, task_id, after);
    if (raw === null) return refuse("the task's object has nothing of it");
    const page = readNews(origin, raw);
    if (!page.ok) return page;
    whole = together(whole, page.value);
    const last = Math.max(after, ...page.value.events.map((event) => event.seq));
    if (last === after || last >= page.value.view.seq) return { ok: true, value: whole };
    after = last;
  }
}

function again(message: Message): void {
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
}

async function putAside(
  message: Message,
  reason: string,
  context: { queue: string; ports: HistoryPorts },
): Promise<void> {
  const { queue, ports } = context;
  try {
    const body = JSON.stringify(message.body) ?? "";
    await ports.deadLetter(queue, reason, body.slice(0, DEAD_LETTER_LENGTH));
    message.ack();
    ports.log("error", "history_message_refused", { message_id: message.id, reason });
  } catch (error) {
    again(message);
    const fields = { message_id: message.id, error: String(error) };
    ports.log("error", "history_dead_letter_failed", fields);
  }
}

/** The news of a message, or null when it was dealt with otherwise. */
async function readArrival(
  { message, body }: Arrival,
  context: { queue: string; ports: HistoryPorts },
): Promise<Reading | null> {
  const { ports } = context;
  try {
    const { tenant, task_id } = body;
    const news =
      body.form === "whole"
        ? readNews({ tenant, task_id, isRebuild: false }, body)
        : await resolve(body, ports.read);
    if (news.ok) return { message, news: news.value };
    await putAside(message, news.refusal, context);
  } catch (error) {
    again(message);
    const fields = { message_id: message.id, error: String(error) };
    ports.log("warning", "history_read_failed", fields);
  }
  return null;
}

function notWritten(readings: readonly Reading[], error: unknown, { log }: HistoryPorts): void {
  for (const { message } of readings) again(message);
  log("error", "history_write_failed", { messages: readings.length, error: String(error) });
}

/** What is written together by where it is written; that of tenants whose database can't be told comes again. */
async function byDatabase(
  readings: readonly Reading[],
  ports: HistoryPorts,
): Promise<Map<D1Database, Reading[]>> {
  const placed = new Map<D1Database, Reading[]>();
  for (const [tenant, of] of Map.groupBy(readings, ({ news }) => news.tenant)) {
    try {
      const db = await ports.db(tenant);
      placed.set(db, [...(placed.get(db) ?? []), ...of]);
    } catch (error) {
      notWritten(of, error, ports);
    }
  }
  return placed;
}

async function write(
  db: D1Database,
  readings: readonly Reading[],
  ports: HistoryPorts,
): Promise<void> {
  let rows: number;
  try {
    rows = await writeHistory(db, project(readings.map(({ news }) => news)));
  } catch (error) {
    notWritten(readings, error, ports);
    return;
  }
  for (const { message } of readings) message.ack();
  const oldest = Math.min(...readings.map(({ message }) => message.timestamp.getTime()));
  const lag_ms = ports.now() - oldest;
  ports.log("debug", "history_written", { messages: readings.length, lag_ms });
  const byTenant = Map.groupBy(readings, ({ news }) => news.tenant);
  const messages = new Map([...byTenant].map(([tenant, of]) => [tenant, of.length]));
  ports.written?.({ messages, rows, lag_ms });
}

/** Messages in groups that are read together and written in one round trip each. */
function groupsOf(arrivals: readonly Arrival[]): Arrival[][] {
  const isSuspect = ({ message }: Arrival) => message.attempts > ATTEMPTS_TOGETHER;
  const fresh = arrivals.filter((arrival) => !isSuspect(arrival));
  const references = fresh.filter(({ body }) => body.form === "reference");
  const groups = [fresh.filter(({ body }) => body.form === "whole")];
  for (let start = 0; start < references.length; start += REFERENCES_TOGETHER) {
    groups.push(references.slice(start, start + REFERENCES_TOGETHER));
  }
  return [...groups, ...arrivals.filter(isSuspect).map((arrival) => [arrival])];
}

/**
 * Writes a batch of task news to history: messages that travel whole in one round trip to each database, references in
 * one for each ten.
 *
 * Acknowledges only what was written. What can't be read as news becomes a dead letter; what could not be
 * fetched or written comes again after a growing delay. Safe to repeat, and in any order.
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
  for (const group of groupsOf(arrivals)) {
    const readings = await Promise.all(group.map((arrival) => readArrival(arrival, context)));
    const known = readings.filter((reading) => reading !== null);
    const placed = await byDatabase(known, ports);
    // A database that hangs keeps no news from the others.
    await Promise.all([...placed].map(([db, of]) => write(db, of, ports)));
  }
}
