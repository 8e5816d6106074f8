import type { Poll } from "../../protocol/webhook-operations.ts";
import { webhookDeliverySchema } from "../../protocol/webhook.ts";
import { messageId } from "../delivery-id.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { EndpointStore } from "./endpoint-store.ts";

/** What a poll asks for: what is behind a position, at most `limit`, waiting for something up to `wait` seconds. */
export interface PollQuery {
  after: number;
  limit: number;
  wait: number;
}

/** What is behind a position, in the order in which it came; nothing while nobody has configured the endpoint. */
export function pollNow(
  stores: { endpoint: EndpointStore; deliveries: DeliveryStore },
  { after, limit }: Pick<PollQuery, "after" | "limit">,
): Poll {
  const { deliveries } = stores;
  const facts = stores.endpoint.facts();
  if (facts === null) return { items: [], next_after: after };
  const { webhook_id } = facts.config;
  const items = deliveries.behindPosition(after, limit).map((row) => ({
    message_id: messageId({ webhook_id, source: row.source, seq: row.seq }),
    position: row.position,
    body: webhookDeliverySchema.parse(JSON.parse(deliveries.body(row))),
  }));
  return { items, next_after: items.at(-1)?.position ?? after };
}

/** Those who wait for something to come. */
export class Pollers {
  readonly #waiting = new Set<() => void>();

  /** Ends when something came or the time is over, whichever is first. */
  async wait(elapsed: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await Promise.race([promise, elapsed]);
    this.#waiting.delete(resolve);
  }

  /** Something came. */
  wakeAll(): void {
    for (const resolve of this.#waiting) resolve();
  }
}
