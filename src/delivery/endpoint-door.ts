import { ok, type Result } from "../lib/result.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Recovery, RecoveryMatch } from "../protocol/webhook-operations.ts";
import type { DeliveryView } from "../protocol/webhook.ts";
import { parseDeliveryId } from "./delivery-id.ts";
import type { EndpointInbox, EnqueueBatch, EnqueueReceipt } from "./endpoint-config.ts";
import { endpointConfigSchema } from "./endpoint-config.ts";
import type { DeliveriesPage, DeliveriesQuery } from "./endpoint/delivery-reads.ts";
import type { PollQuery } from "./endpoint/polling.ts";
import type { RecoveryRange } from "./endpoint/recovery-store.ts";
import { mergedFigures, type EndpointFigures } from "./endpoint/statistics.ts";
import { shardOf } from "./shards.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** What an endpoint's object does for others, and what an endpoint does as a whole. */
export interface EndpointOffice extends EndpointInbox {
  deliveries(query: DeliveriesQuery): Answer<DeliveriesPage>;
  delivery(delivery_id: string): Answer<DeliveryView>;
  replay(delivery_id: string): Answer<DeliveryView>;
  sendTest(): Answer<DeliveryView>;
  resume(): Promise<void>;
  /** The breaker's level: the worst of all its objects. */
  level(): Promise<number>;
  figures(window_s: number): Promise<EndpointFigures | null>;
  /** JSON of a Poll. */
  poll(query: PollQuery): Answer<string>;
  recoverable(range: RecoveryRange): Promise<RecoveryMatch>;
  recover(recovery_id: string, range: RecoveryRange): Answer<Recovery>;
  recovery(recovery_id: string): Answer<Recovery>;
  cancelRecovery(recovery_id: string): Answer<Recovery>;
}

/** One endpoint of several objects: each keeps the lanes whose source falls to it, behind one id. */
export class ShardedEndpoint implements EndpointOffice {
  readonly #shards: readonly EndpointOffice[];

  /** @param shards at least one, in order */
  constructor(shards: readonly EndpointOffice[]) {
    this.#shards = shards;
  }

  async configure(text: string): Promise<void> {
    const config = endpointConfigSchema.parse(JSON.parse(text));
    await this.#all((shard, index) => shard.configure(JSON.stringify({ ...config, shard: index })));
  }

  async enqueue(batch: EnqueueBatch): Promise<EnqueueReceipt> {
    const parts = this.#shards.map((_, index) =>
      batch.items.filter((item) => this.#indexOf(item.task_id ?? item.event_id) === index),
    );
    const receipts = await this.#all(async (shard, index) => {
      const items = parts[index] ?? [];
      return items.length === 0 ? null : shard.enqueue({ ...batch, items });
    });
    const given = receipts.filter((receipt) => receipt !== null);
    return {
      stored: given.reduce((sum, { stored }) => sum + stored, 0),
      known: given.every(({ known }) => known),
    };
  }

  /** Shard by shard; a cursor leads on in the shard that its delivery is in. */
  async deliveries(query: DeliveriesQuery): Answer<DeliveriesPage> {
    if (query.task_id !== undefined) return this.#shardOf(query.task_id).deliveries(query);
    const [, index = "0", cursor] = /^(\d{1,2})\.(.*)$/s.exec(query.cursor ?? "") ?? [];
    const inside = query.cursor === undefined || cursor === "" ? undefined : (cursor ?? "?");
    const page = await this.#at(Number(index)).deliveries({ ...query, cursor: inside });
    if (!page.ok) return page;
    const { items, next_cursor } = page.value;
    if (next_cursor !== null) return ok({ items, next_cursor: `${index}.${next_cursor}` });
    const isLast = Number(index) >= this.#shards.length - 1;
    return ok({ items, next_cursor: isLast ? null : `${Number(index) + 1}.` });
  }

  async delivery(delivery_id: string): Answer<DeliveryView> {
    return this.#ofDelivery(delivery_id).delivery(delivery_id);
  }

  async replay(delivery_id: string): Answer<DeliveryView> {
    return this.#ofDelivery(delivery_id).replay(delivery_id);
  }

  async sendTest(): Answer<DeliveryView> {
    return this.#at(0).sendTest();
  }

  async resume(): Promise<void> {
    await this.#all((shard) => shard.resume());
  }

  async level(): Promise<number> {
    return Math.max(...(await this.#all((shard) => shard.level())));
  }

  async figures(window_s: number): Promise<EndpointFigures | null> {
    const figures = await this.#all((shard) => shard.figures(window_s));
    const known = figures.filter((of) => of !== null);
    return known.length === 0 ? null : mergedFigures(known);
  }

  /** The events of the first shard: others have positions of their own. Callers refuse it for several. */
  async poll(query: PollQuery): Answer<string> {
    return this.#at(0).poll(query);
  }

  async recoverable(range: RecoveryRange): Promise<RecoveryMatch> {
    const matches = await this.#all((shard) => shard.recoverable(range));
    return { matched: matches.reduce((sum, { matched }) => sum + matched, 0) };
  }

  async recover(recovery_id: string, range: RecoveryRange): Answer<Recovery> {
    return this.#sumOf((shard) => shard.recover(recovery_id, range));
  }

  async recovery(recovery_id: string): Answer<Recovery> {
    return this.#sumOf((shard) => shard.recovery(recovery_id));
  }

  async cancelRecovery(recovery_id: string): Answer<Recovery> {
    return this.#sumOf((shard) => shard.cancelRecovery(recovery_id));
  }

  async #sumOf(ask: (shard: EndpointOffice) => Answer<Recovery>): Answer<Recovery> {
    const parts: Recovery[] = [];
    for (const answer of await this.#all(ask)) {
      if (!answer.ok) return answer;
      parts.push(answer.value);
    }
    const [first] = parts;
    if (first === undefined) throw new Error("An endpoint without an object");
    return ok({
      recovery_id: first.recovery_id,
      state: parts.find(({ state }) => state !== "done")?.state ?? "done",
      matched: parts.reduce((sum, { matched }) => sum + matched, 0),
      replayed: parts.reduce((sum, { replayed }) => sum + replayed, 0),
    });
  }

  #all<Value>(
    ask: (shard: EndpointOffice, index: number) => Promise<Value> | Value,
  ): Promise<Value[]> {
    return Promise.all(this.#shards.map((shard, index) => ask(shard, index)));
  }

  #indexOf(source: string): number {
    return shardOf(source, this.#shards.length);
  }

  #shardOf(source: string): EndpointOffice {
    return this.#at(this.#indexOf(source));
  }

  #ofDelivery(delivery_id: string): EndpointOffice {
    return this.#shardOf(parseDeliveryId(delivery_id)?.source ?? "");
  }

  #at(index: number): EndpointOffice {
    const shard = this.#shards[index] ?? this.#shards[0];
    if (shard === undefined) throw new Error("An endpoint without an object");
    return shard;
  }
}
