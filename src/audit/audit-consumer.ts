import type { Log } from "../lib/log.ts";
import { auditMessageSchema, type AuditMessage } from "../protocol/audit.ts";
import type { Ledger } from "./ledger.ts";

/** What the consumer needs from outside. */
export interface AuditConsumerPorts {
  store: Pick<Ledger, "add">;
  /** Puts an entry on the queue anew, with all its attempts before it. */
  enqueue: (message: AuditMessage, delaySeconds: number) => Promise<void>;
  log: Log;
}

const LONGEST_PAUSE_S = 300;

/** Seconds before an entry that D1 did not take is tried again: 5, 10, 20 … 300, by the attempts already made. */
function pauseSeconds(attempts: number): number {
  return Math.min(LONGEST_PAUSE_S, 5 * 2 ** (attempts - 1));
}

/**
 * Attempts after which an entry is sent anew instead of tried again.
 *
 * The platform gives a message up after max_retries (wrangler.toml, 10); an entry has to outlive any outage of D1.
 */
const ATTEMPTS_OF_ONE = 8;

/** Whether a message of the `events` queue is an entry of the audit. */
export function isAuditMessage({ body }: Message): boolean {
  return typeof body === "object" && body !== null && "form" in body && body.form === "audit";
}

/**
 * Writes entries that D1 did not take when they came about, each once however often it comes.
 *
 * Acknowledges only what was written, or is on the queue anew. One that can't be read is left to the platform, which
 * moves it to the dead letters.
 */
export async function consumeAudit(
  messages: readonly Message[],
  ports: AuditConsumerPorts,
): Promise<void> {
  const entries: { message: Message; entry: AuditMessage }[] = [];
  for (const message of messages) {
    const parsed = auditMessageSchema.safeParse(message.body);
    if (parsed.success) entries.push({ message, entry: parsed.data });
    else again(message, ports.log, parsed.error);
  }
  for (const [place, { message, entry }] of entries.entries()) {
    try {
      if (message.attempts > ATTEMPTS_OF_ONE) await ports.enqueue(entry, LONGEST_PAUSE_S);
      else await ports.store.add(entry.record);
      message.ack();
    } catch (error) {
      // Those behind it come again too: a D1 that is down is not asked a hundred times.
      for (const { message: late } of entries.slice(place)) again(late, ports.log, error);
      return;
    }
  }
}

function again(message: Message, log: Log, error: unknown): void {
  message.retry({ delaySeconds: pauseSeconds(message.attempts) });
  log("error", "audit_not_written", { message_id: message.id, error: String(error) });
}
