import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import { retryMessageSchema, type RetryMessage } from "../protocol/queue-messages.ts";
import { hopSeconds } from "./retry-policy.ts";
import { endpointName } from "./shards.ts";

/** What the consumer of the `retries` queue is given. */
export interface RetryPorts {
  /** Tells an endpoint's object, or one of its shards, that a retry may have come due. */
  wake: (tenant: string, webhook_id: string, shard: number) => Promise<void>;
  /** Puts a message back on the queue. */
  sendLater: (message: RetryMessage, delaySeconds: number) => Promise<void>;
  /** Puts a message aside for good, with its body as JSON. */
  deadLetter: (queue: string, reason: string, body: string) => Promise<void>;
  now: Clock;
  log: Log;
}

/** Characters of the reason that a dead letter keeps. */
const LONGEST_REASON = 500;

/** How long a message waits after a failure: longer each time, an hour at most. */
function backoffSeconds(attempts: number): number {
  return Math.min(3_600, 2 ** attempts);
}

/**
 * Wakes the endpoints whose retries have come due.
 *
 * A message that is early, because its wait is longer than the queue can hold it, goes round again. One that
 * can't be delivered to its object is tried again, later each time, and ends in the dead-letter queue; the
 * object's alarm does not depend on it.
 */
export async function consumeRetries(batch: MessageBatch, ports: RetryPorts): Promise<void> {
  const woken = new Map<string, Promise<void>>();
  const wakeOnce = ({ tenant, webhook_id, shard }: RetryMessage): Promise<void> => {
    const name = endpointName(tenant, webhook_id, shard);
    const waking = woken.get(name) ?? ports.wake(tenant, webhook_id, shard);
    woken.set(name, waking);
    return waking;
  };
  await Promise.all(
    batch.messages.map(async (message) => {
      try {
        await consume(batch.queue, message.body, ports, wakeOnce);
        message.ack();
      } catch (error) {
        ports.log("error", "retry_wake_failed", {
          ...retryMessageSchema.safeParse(message.body).data,
          error: String(error),
          tries: message.attempts,
        });
        message.retry({ delaySeconds: backoffSeconds(message.attempts) });
      }
    }),
  );
}

async function consume(
  queue: string,
  body: unknown,
  ports: RetryPorts,
  wake: (message: RetryMessage) => Promise<void>,
): Promise<void> {
  const parsed = retryMessageSchema.safeParse(body);
  if (!parsed.success) {
    return ports.deadLetter(
      queue,
      parsed.error.message.slice(0, LONGEST_REASON),
      JSON.stringify(body),
    );
  }
  const wait = hopSeconds(parsed.data.due, ports.now());
  return wait > 0 ? ports.sendLater(parsed.data, wait) : wake(parsed.data);
}
