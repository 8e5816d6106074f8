import { consumersOf } from "./services.ts";

/**
 * Gives a batch to the consumer of its queue. Each acks only what it has finished.
 *
 * @throws Error for a queue that nobody consumes: its messages then come again
 */
export function consume(batch: MessageBatch, env: Env): Promise<void> {
  const consumer = consumersOf(env)[batch.queue];
  if (consumer === undefined) throw new Error(`nobody consumes the queue ${batch.queue}`);
  return consumer(batch);
}
