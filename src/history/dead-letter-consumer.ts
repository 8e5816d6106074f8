import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import { auditMessageSchema } from "../protocol/audit.ts";
import {
  deadLetterMessageSchema,
  executionMessageSchema,
  historyMessageSchema,
  pushMessageSchema,
  retryMessageSchema,
} from "../protocol/queue-messages.ts";
import { writeDeadLetters, type DeadLetter } from "./dead-letter-store.ts";

/** What the consumer needs from outside. */
export interface DeadLetterPorts {
  db: D1Database;
  log: Log;
  now: Clock;
}

/** Delay before dead letters that could not be stored come again, in seconds. */
const RETRY_SECONDS = 60;

/** Characters of a stored body; a message holds 128 KB, a batch of them must fit one request to D1. */
const BODY_LENGTH = 100_000;

/** Which queue a message was made for, by its form: the platform moves messages here without saying whence. */
function queueOf(body: unknown): string {
  const isEvents = [historyMessageSchema, auditMessageSchema].some(
    (schema) => schema.safeParse(body).success,
  );
  if (isEvents) return "events";
  if (retryMessageSchema.safeParse(body).success) return "retries";
  if (executionMessageSchema.safeParse(body).success) return "executions";
  return pushMessageSchema.safeParse(body).success ? "pushes" : "unknown";
}

function letterOf(message: Message, now: number): DeadLetter {
  const own = deadLetterMessageSchema.safeParse(message.body);
  const { queue, reason, body } = own.success
    ? own.data
    : {
        queue: queueOf(message.body),
        reason: "retries are used up",
        body: JSON.stringify(message.body) ?? "",
      };
  // A dead-lettered copy keeps the id of its message (facts/platform.md §3), so a repeated one is known.
  const received_at = instant(now);
  return { id: message.id, received_at, queue, reason, body: body.slice(0, BODY_LENGTH) };
}

/**
 * Stores given-up messages where an operator finds them, and logs each as an error.
 *
 * Acknowledges only what was stored; when D1 fails, all come again.
 */
export async function consumeDeadLetters(
  batch: MessageBatch<unknown>,
  ports: DeadLetterPorts,
): Promise<void> {
  const letters = batch.messages.map((message) => letterOf(message, ports.now()));
  try {
    await writeDeadLetters(ports.db, letters);
  } catch (error) {
    batch.retryAll({ delaySeconds: RETRY_SECONDS });
    ports.log("error", "dead_letters_not_stored", {
      messages: letters.length,
      error: String(error),
    });
    return;
  }
  batch.ackAll();
  for (const { id, queue, reason } of letters) {
    ports.log("error", "dead_letter_stored", { message_id: id, queue, reason });
  }
}
