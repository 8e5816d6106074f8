import { consumeAudit, isAuditMessage } from "./audit/audit-consumer.ts";
import { consumeRetries } from "./delivery/delivery-consumer.ts";
import { endpointName } from "./delivery/shards.ts";
import { consumePushes } from "./dispatch/push/push-consumer.ts";
import { consumeDeadLetters } from "./history/dead-letter-consumer.ts";
import { consumeHistory, type HistoryPorts } from "./history/history-consumer.ts";
import { consoleLog } from "./lib/log.ts";
import { auditConsumerPorts } from "./services-audit.ts";
import { doorsOf, now } from "./services-doors.ts";
import { countHistory, meterOf } from "./services-meter.ts";
import { isNewsQueue } from "./services-queues.ts";
import { goOnRemoving, isRemovalMessage } from "./services-sweep.ts";
import { executorPortsOf, pushPortsOf } from "./services.ts";

/** The first of the queues that carry news of tasks; an operator may have bound more. */
const NEWS = "batuta-events";

/** How long a database of history is waited for: D1 itself would give up after 30 s (facts/platform.md §4). Milliseconds. */
const PATIENCE_MS = 15_000;

/** How long a batch of news goes on: a consumer is cut off after 15 minutes (facts/platform.md §4), and its acks are lost. Milliseconds. */
const ROUND_MS = 300_000;

/** The consumer of each queue, by the queue's name. */
function consumersOf(env: Env): Record<string, (batch: MessageBatch) => Promise<void>> {
  const { task, history } = doorsOf(env);
  const log = consoleLog("queues", now);
  const deadLetter = async (queue: string, reason: string, body: string): Promise<void> => {
    await env.DEAD_LETTERS.send({ queue, reason, body });
  };
  const historyPorts: HistoryPorts = {
    history,
    patience_ms: PATIENCE_MS,
    round_ms: ROUND_MS,
    read: async (tenant, task_id, after) => {
      const found = await task(tenant, task_id).record(after);
      return found.ok ? JSON.parse(found.value) : null;
    },
    deadLetter,
    written: (written) => countHistory(env, written),
    log,
    now,
  };
  const retries = (queue: Queue) => (batch: MessageBatch) =>
    consumeRetries(batch, {
      wake: (tenant, webhook_id, shard) =>
        env.ENDPOINT.getByName(endpointName(tenant, webhook_id, shard)).wake(),
      sendLater: async (message, delaySeconds) => {
        await queue.send(message, { delaySeconds });
      },
      deadLetter,
      now,
      log,
    });
  return {
    [NEWS]: async ({ queue, messages }) => {
      const entries = messages.filter(isAuditMessage);
      const removals = messages.filter(isRemovalMessage);
      const news = messages.filter(
        (message) => !isAuditMessage(message) && !isRemovalMessage(message),
      );
      await consumeAudit(entries, auditConsumerPorts(env));
      await consumeHistory({ queue, messages: news }, historyPorts);
      for (const message of removals) {
        // Once, whatever becomes of it: two at a time would archive the same tasks twice.
        message.ack();
        await goOnRemoving(env, message);
      }
    },
    "batuta-retries-critical": retries(env.RETRIES_CRITICAL),
    "batuta-retries": retries(env.RETRIES),
    "batuta-retries-bulk": retries(env.RETRIES_BULK),
    "batuta-executions": async (batch) => {
      const lazy = await import("./executor.lazy.mjs");
      await lazy.consumeExecutions(batch, { ports: executorPortsOf(env, lazy), deadLetter, log });
    },
    "batuta-pushes": (batch) => consumePushes(batch, { ports: pushPortsOf(env), deadLetter }),
    "batuta-dead-letters": (batch) => consumeDeadLetters(batch, { db: env.DB, log, now }),
  };
}

/**
 * Gives a batch to the consumer of its queue. Each acks only what it has finished.
 *
 * @param keepAlive has the invocation live on for work that nobody waits for, and that never fails
 * @throws Error for a queue that nobody consumes: its messages then come again
 */
export async function consume(
  batch: MessageBatch,
  env: Env,
  keepAlive: (work: Promise<void>) => void,
): Promise<void> {
  const consumer = consumersOf(env)[isNewsQueue(batch.queue) ? NEWS : batch.queue];
  if (consumer === undefined) throw new Error(`nobody consumes the queue ${batch.queue}`);
  await consumer(batch);
  const flushing = meterOf(env).flushSoon();
  if (flushing !== null) keepAlive(flushing);
}
