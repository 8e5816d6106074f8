import type { Log } from "../lib/log.ts";
import { refuse, type Result } from "../lib/result.ts";
import type { HistoryMessage } from "../protocol/queue-messages.ts";
import { readNews, type NewsOrigin, type RawNews, type TaskNews } from "./news.ts";

/* What messages say of tasks: what they carry, or what the tasks' objects have that they refer to. */

/** What reading needs from outside. */
export interface ReadingPorts {
  /**
   * The task's view, events after `after`, and its escalation, from the task's object; null when that is empty.
   * It may give only some of the events: it is asked again for those that follow.
   */
  read: (tenant: string, task_id: string, after: number) => Promise<RawNews | null>;
  /** Puts a message aside for good; throws when even that fails. */
  deadLetter: (queue: string, reason: string, body: string) => Promise<void>;
  log: Log;
}

/** The queue that the messages are of, and what reading them needs. */
export interface ReadingContext {
  queue: string;
  ports: ReadingPorts;
}

/** Characters of a dead letter's body: a message holds 128 KB (facts/platform.md §4). */
const DEAD_LETTER_LENGTH = 30_000;

const MAX_DELAY_SECONDS = 300;

/** Delay before a message is tried again: 10, 20, 40 … 300 seconds, by the attempts already made. */
function retryDelaySeconds(attempts: number): number {
  return Math.min(MAX_DELAY_SECONDS, 2 ** attempts * 5);
}

/** A message whose form is right. */
export interface Arrival {
  message: Message;
  body: HistoryMessage;
}

/** A message whose news are known. */
export interface Reading {
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
  read: ReadingPorts["read"],
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

/** Has a message come again, ever later. */
export function again(message: Message): void {
  message.retry({ delaySeconds: retryDelaySeconds(message.attempts) });
}

/** Makes a dead letter of a message; should that fail too, it comes again. Never fails. */
export async function putAside(
  message: Message,
  reason: string,
  { queue, ports }: ReadingContext,
): Promise<void> {
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

/** The news of a message, or null when it was dealt with otherwise. Never fails. */
export async function readArrival(
  { message, body }: Arrival,
  context: ReadingContext,
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
