import { DurableObject } from "cloudflare:workers";

import { readConfig } from "../../config.ts";
import { consoleLog } from "../../lib/log.ts";
import { randomId, type Clock, type Random } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import { createSealer } from "../../lib/seal.ts";
import type { RetryMessage } from "../../protocol/queue-messages.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import {
  endpointConfigSchema,
  enqueueBatchSchema,
  type EnqueueBatch,
  type EnqueueReceipt,
} from "../endpoint-config.ts";
import { WebhookStore } from "../registry/webhook-store.ts";
import { hopSeconds } from "../retry-policy.ts";
import { Courier } from "./courier.ts";
import {
  deliveriesPage,
  findDelivery,
  type DeliveriesPage,
  type DeliveriesQuery,
} from "./delivery-reads.ts";
import { deliveryView, type DeliveryRow } from "./delivery-row.ts";
import { EndpointStore } from "./endpoint-store.ts";
import { testItem } from "./test-item.ts";

/** How far the alarm stays behind the queue's message, and how soon it comes back after an error. */
const WATCHDOG_MS = 60_000;

/**
 * One webhook endpoint of one tenant: its deliveries in order, and the only sender to it.
 *
 * Whatever is stored to be sent arms the alarm, and the alarm alone sends. The `retries` queue wakes the object
 * when a retry comes due; the alarm behind it makes up for a lost message. So there is an alarm as long as
 * anything may be sent, and without one nothing has to be looked for.
 */
export class EndpointObject extends DurableObject<Env> {
  now: Clock = () => Date.now();
  random: Random = () => Math.random();
  readonly #log = consoleLog("endpoint", () => this.now());
  readonly #store = new EndpointStore(this.ctx.storage.sql);
  readonly #courier = new Courier(this.#store, {
    now: () => this.now(),
    random: () => this.random(),
    log: this.#log,
    sealer: createSealer(readConfig({ ...this.env }).sealKeys),
    transaction: (write) => this.ctx.storage.transactionSync(write),
  });
  #armedAt: number | null = null;
  #wakeAt: number | null = null;

  /** Takes over a configuration (JSON of EndpointConfig); one that is not newer changes nothing. */
  async configure(text: string): Promise<void> {
    const config = endpointConfigSchema.parse(JSON.parse(text));
    const before = this.#store.facts();
    if (before !== null && before.config.version >= config.version) return;
    this.ctx.storage.transactionSync(() => {
      // Resuming tries at once, whatever the receiver asked for before (protocol.md §7, Webhooks).
      const pausedUntil = before?.config.state === "active" ? before.pausedUntil : 0;
      this.#store.saveFacts({ config, pausedUntil, isIndexComplete: false, isUnreported: false });
      if (config.state === "deleted") this.#store.cancelOpen();
    });
    // What came while it was not active is in no lane yet, and another ordering has other lanes.
    this.#courier.unload();
    if (before !== null && config.state === "active") await this.#arm(this.now());
  }

  /** Stores notifications, each once however often it comes, and has them sent. */
  async enqueue(batch: EnqueueBatch): Promise<EnqueueReceipt> {
    const { config_version, callback, items } = enqueueBatchSchema.parse(batch);
    if (callback !== null) await this.configure(callback);
    await this.#load();
    const facts = this.#store.facts();
    if (facts === null || facts.config.version < config_version) return { stored: 0, known: false };
    if (facts.config.state === "deleted") return { stored: 0, known: true };
    const rows = this.ctx.storage.transactionSync(() => {
      const fresh = items
        .map((item) => this.#store.insert(item, this.now()))
        .filter((row) => row !== null);
      if (facts.isIndexComplete && fresh.length > 0) {
        this.#store.saveFacts({ ...facts, isIndexComplete: false });
      }
      return fresh;
    });
    this.#courier.add(rows);
    if (facts.config.state === "active" && rows.length > 0) await this.#sendSoon();
    return { stored: rows.length, known: true };
  }

  /** A retry may have come due: the consumer of the `retries` queue says so. */
  async wake(): Promise<void> {
    if (this.#store.facts() === null) return;
    this.#courier.load(true);
    const due = this.#courier.nextDue();
    if (due === null) return;
    if (due <= this.now()) await this.#sendSoon();
    else await this.#askWake(due);
  }

  /** A page of deliveries, by task and seq. */
  deliveries(query: DeliveriesQuery): Result<DeliveriesPage, Refusal> {
    return deliveriesPage(this.#store, query, (row) => this.#view(row));
  }

  /** One delivery with its attempts. */
  delivery(delivery_id: string): Result<DeliveryView, Refusal> {
    const found = findDelivery(this.#store, delivery_id);
    if (!found.ok) return found;
    return ok({ ...this.#view(found.value), attempts: this.#store.attempts(found.value) });
  }

  /** Sends a delivery again, whatever became of it; its id and its bytes stay the same. */
  async replay(delivery_id: string): Promise<Result<DeliveryView, Refusal>> {
    await this.#load();
    const found = findDelivery(this.#store, delivery_id);
    if (!found.ok || found.value.replay_at !== null) {
      return found.ok ? ok(this.#view(found.value)) : found;
    }
    if (this.#store.facts()?.config.state === "deleted") {
      return refuse({ code: "webhook_not_found", detail: "Its endpoint was deleted." });
    }
    if (this.#courier.isInFlight(found.value)) {
      return refuse({ code: "delivery_in_flight", detail: "It is being sent just now." });
    }
    const row = { ...found.value, replay_at: this.now() };
    this.#store.requestReplay(row, row.replay_at);
    return this.#sendReplay(row);
  }

  /** Sends a test notification, also while the endpoint is paused. Once: a failed test is not tried again. */
  async sendTest(): Promise<Result<DeliveryView, Refusal>> {
    await this.#load();
    if (this.#store.facts() === null) {
      return refuse({ code: "webhook_not_found", detail: "Nobody has configured this endpoint." });
    }
    const replay_at = this.now();
    const item = testItem(randomId(), replay_at);
    const row = this.#store.insert(item, replay_at, { state: "exhausted", replay_at });
    if (row === null) throw new Error(`The test ${item.event_id} exists already`);
    return this.#sendReplay(row);
  }

  async #sendReplay(row: DeliveryRow): Promise<Result<DeliveryView, Refusal>> {
    this.#courier.addReplay(row);
    await this.#sendSoon();
    return ok(this.#view(row));
  }

  override async alarm(): Promise<void> {
    this.#armedAt = null;
    if (this.#courier.isRunning) return;
    try {
      this.#courier.load(true);
      await this.#courier.run();
      await this.#reportDisabled();
      await this.#planNext();
    } catch (error) {
      // Never out of here: an alarm that throws is dropped after six retries (facts/platform.md §4).
      this.#logFailure("endpoint_alarm_failed", error);
      this.#courier.reset();
      await this.#arm(this.now() + WATCHDOG_MS);
    }
  }

  async #load(): Promise<void> {
    if (this.#courier.isLoaded || this.#store.facts() === null) return;
    const armedAt = await this.ctx.storage.getAlarm();
    if (this.#courier.isLoaded) return;
    this.#armedAt = armedAt;
    this.#courier.load(armedAt !== null);
  }

  async #sendSoon(): Promise<void> {
    if (!this.#courier.isRunning) await this.#arm(this.now());
  }

  /** Sets the alarm if that makes it earlier: each setting is a row written, a late one is put right as it fires. */
  async #arm(at: number): Promise<void> {
    const isOverdue = this.#armedAt !== null && this.#armedAt < this.now() - WATCHDOG_MS;
    if (this.#armedAt !== null && this.#armedAt <= at && !isOverdue) return;
    this.#armedAt = at;
    await this.ctx.storage.setAlarm(at);
  }

  async #planNext(): Promise<void> {
    const due = this.#courier.isLoaded ? this.#courier.nextDue() : this.now();
    if (due === null) return;
    if (due <= this.now()) return this.#arm(this.now());
    const facts = this.#store.facts();
    if (facts !== null && !facts.isIndexComplete && this.#courier.isIndexComplete()) {
      this.#store.saveFacts({ ...facts, isIndexComplete: true });
    }
    await this.#arm(due + WATCHDOG_MS);
    await this.#askWake(due);
  }

  /** Has the queue wake this object at `due`, unless a message is under way that comes no later. */
  async #askWake(due: number): Promise<void> {
    const facts = this.#store.facts();
    const now = this.now();
    if (facts === null || (this.#wakeAt !== null && this.#wakeAt > now && this.#wakeAt <= due))
      return;
    const { tenant, webhook_id } = facts.config;
    this.#wakeAt = due;
    try {
      const message: RetryMessage = { tenant, webhook_id, due };
      await this.env.RETRIES.send(message, { delaySeconds: hopSeconds(due, now) });
    } catch (error) {
      // The alarm behind it comes a minute later.
      this.#logFailure("retry_message_failed", error);
    }
  }

  async #reportDisabled(): Promise<void> {
    const facts = this.#store.facts();
    if (facts?.isUnreported !== true) return;
    await new WebhookStore(this.env.DB).disable(facts.config.tenant, facts.config.webhook_id);
    this.#store.saveFacts({ ...(this.#store.facts() ?? facts), isUnreported: false });
  }

  #logFailure(event: string, error: unknown): void {
    this.#log("error", event, { endpoint: this.ctx.id.name, error: String(error) });
  }

  #view(row: DeliveryRow): DeliveryView {
    const facts = this.#store.facts();
    if (facts === null) throw new Error("A delivery without an endpoint");
    const { config, pausedUntil } = facts;
    const isInFlight = this.#courier.isInFlight(row);
    return deliveryView(row, { config, pausedUntil, isInFlight, now: this.now() });
  }
}
