import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";

import { consumeHistory, type HistoryPorts } from "../../src/history/history-consumer.ts";
import { eventsOf, messageOf, T0, viewOf } from "../task-news.ts";
import { recordingDb } from "./recording-db.ts";

/* Batches of news as the queue gives them to the consumer of history. */

interface DeadLetter {
  queue: string;
  reason: string;
  body: string;
}

/** Histories of which it is known where they are. */
export const homes = (home: (tenant: string) => D1Database): HistoryPorts["history"] => ({
  known: home,
  learn: async () => undefined,
  of: async (tenant) => home(tenant),
});

/** A database that takes statements, and says nothing ever after. */
export function hangingDb(): { db: D1Database; asked: () => number } {
  let asked = 0;
  const db = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name) as unknown;
      return () => {
        asked += 1;
        return new Promise(() => undefined);
      };
    },
  });
  return { db, asked: () => asked };
}

/** Gives bodies to the consumer as one batch, and says what became of each message. */
export async function consume(
  bodies: unknown[],
  changes: Partial<HistoryPorts> = {},
  attempts = 1,
) {
  const deadLetters: DeadLetter[] = [];
  const recording = recordingDb(env.DB);
  const batch = createMessageBatch<unknown>(
    "batuta-events",
    bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(T0), attempts, body })),
  );
  const delays: (number | undefined)[] = [];
  for (const message of batch.messages) {
    const retry = message.retry.bind(message);
    vi.spyOn(message, "retry").mockImplementation((options) => {
      delays.push(options?.delaySeconds);
      retry(options);
    });
  }
  await consumeHistory(batch, {
    history: homes(() => recording.db),
    patience_ms: 15_000,
    round_ms: 300_000,
    read: () => Promise.resolve(null),
    deadLetter: async (queue, reason, body) => void deadLetters.push({ queue, reason, body }),
    log: () => undefined,
    now: () => T0,
    ...changes,
  });
  const result = await getQueueResult(batch, createExecutionContext());
  const retried = result.retryMessages.map(({ msgId }) => msgId);
  return { acked: result.explicitAcks, retried, delays, deadLetters, recording };
}

/** Events of a task as a message that carries them itself. */
export const newsOf = (tenant: string, from: number, to: number, task_id = "task-1") =>
  messageOf(tenant, viewOf({ seq: to, task_id }), eventsOf(from, to));

/** A message that refers to what the task's object has. */
export const reference = (tenant: string, changes: object = {}) => ({
  form: "reference",
  tenant,
  task_id: "task-1",
  after: 0,
  ...changes,
});
