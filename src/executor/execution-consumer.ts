import type { Log } from "../lib/log.ts";
import { executionMessageSchema } from "../protocol/queue-messages.ts";
import { execute } from "./engine.ts";
import type { ExecutorPorts } from "./ports.ts";

/** Puts a message aside for good, where an operator finds it. */
type DeadLetter = (queue: string, reason: string, body: string) => Promise<void>;

/** Characters of the reason that a dead letter keeps. */
const LONGEST_REASON = 500;

async function consumeOne(
  message: Message<unknown>,
  parts: { queue: string; ports: ExecutorPorts; deadLetter: DeadLetter; log: Log },
): Promise<void> {
  const parsed = executionMessageSchema.safeParse(message.body);
  if (!parsed.success) {
    await parts.deadLetter(
      parts.queue,
      parsed.error.message.slice(0, LONGEST_REASON),
      JSON.stringify(message.body) ?? "",
    );
    message.ack();
    return;
  }
  try {
    await execute(parsed.data, parts.ports);
    message.ack();
  } catch (cause) {
    const { tenant, task_id } = parsed.data;
    // Taken already it is refused the next time, and its lease runs out: then a retry of the task has its turn.
    parts.log("error", "execution_failed", { tenant, task_id, detail: String(cause) });
    message.retry();
  }
}

/** Works off the `executions` queue: each message is a task for the built-in executor. Acks what is finished. */
export async function consumeExecutions(
  batch: MessageBatch<unknown>,
  parts: { ports: ExecutorPorts; deadLetter: DeadLetter; log: Log },
): Promise<void> {
  await Promise.all(
    batch.messages.map((message) => consumeOne(message, { queue: batch.queue, ...parts })),
  );
}
