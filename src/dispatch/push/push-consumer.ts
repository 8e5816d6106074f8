import { inTurn } from "../../lib/in-turn.ts";
import { pushMessageSchema } from "../../protocol/queue-messages.ts";
import { push } from "./push.ts";
import type { PushPorts } from "./push.ts";

/** Connections that an invocation may have open (facts/platform.md §4); more would wait while their time runs. */
const PUSHED_AT_ONCE = 6;

/** Characters of the reason that a dead letter keeps. */
const LONGEST_REASON = 500;

/** What the consumer of the `pushes` queue is given. */
export interface PushConsumerParts {
  ports: PushPorts;
  /** Puts a message aside for good, where an operator finds it. */
  deadLetter: (queue: string, reason: string, body: string) => Promise<void>;
}

/** Works off the `pushes` queue: each message is a task for a push executor. Acks what is finished. */
export async function consumePushes(
  batch: MessageBatch<unknown>,
  parts: PushConsumerParts,
): Promise<void> {
  await inTurn(batch.messages, PUSHED_AT_ONCE, (message) =>
    consumeOne(batch.queue, message, parts),
  );
}

async function consumeOne(
  queue: string,
  message: Message<unknown>,
  { ports, deadLetter }: PushConsumerParts,
): Promise<void> {
  const parsed = pushMessageSchema.safeParse(message.body);
  try {
    if (parsed.success) {
      await push(parsed.data, ports);
    } else {
      const reason = parsed.error.message.slice(0, LONGEST_REASON);
      await deadLetter(queue, reason, JSON.stringify(message.body) ?? "");
    }
    message.ack();
  } catch (cause) {
    ports.log("error", "push_failed", { ...parsed.data, detail: String(cause) });
    message.retry();
  }
}
