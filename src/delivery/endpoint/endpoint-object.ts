import { DurableObject } from "cloudflare:workers";

import { readConfig } from "../../config.ts";
import { consoleLog } from "../../lib/log.ts";
import { randomId, type Clock, type Random } from "../../lib/ports.ts";
import { ok, refuse, type Result } from "../../lib/result.ts";
import { createSealer } from "../../lib/seal.ts";
import type { Priority } from "../../protocol/enums.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Recovery, RecoveryMatch } from "../../protocol/webhook-operations.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import { KeyRing } from "../attempt.ts";
import {
  endpointConfigSchema,
  enqueueBatchSchema,
  type EnqueueBatch,
  type EnqueueReceipt,
} from "../endpoint-config.ts";
import type { EndpointPorts } from "../level-report.ts";
import { BatchStore } from "./batch-store.ts";
import { changedFacts, resumedFacts } from "./configuring.ts";
import { Courier } from "./courier.ts";
import type { DeliveriesPage, DeliveriesQuery } from "./delivery-reads.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import { DeliveryStore } from "./delivery-store.ts";
import { EndpointStore } from "./endpoint-store.ts";
import { Keeper } from "./keeper.ts";
import { Pollers, pollNow, type PollQuery } from "./polling.ts";
import { Reader } from "./reader.ts";
import { RecoveryStore, recoveryView, type RecoveryRange } from "./recovery-store.ts";
import { StatisticsStore } from "./statistics-store.ts";
import type { EndpointFigures } from "./statistics.ts";
import { testItem } from "./test-item.ts";
import { Upkeep } from "./upkeep.ts";
import { Waker } from "./waker.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/**
 * One webhook endpoint of one tenant, or a shard of one: its deliveries in order, and the only sender to it.
 *
 * Whatever is stored to be sent arms the alarm, and the alarm alone sends. The `retries` queues wake the object
 * when a retry comes due; the alarm behind it makes up for a lost message. So there is an alarm as long as
 * anything may be sent, and without one nothing has to be looked for.
 */
export class EndpointObject extends DurableObject<Env> {
  /** Set by index.ts: what this object asks of other parts. */
  static connect: (env: Env) => EndpointPorts;

  now: Clock = () => Date.now();
  random: Random = () => Math.random();
  wait: (ms: number) => Promise<void> = (ms) => scheduler.wait(ms);
  readonly #log = consoleLog("endpoint", () => this.now());
  readonly #stores = {
    endpoint: new EndpointStore(this.ctx.storage.sql),
    deliveries: new DeliveryStore(this.ctx.storage.sql),
    batches: new BatchStore(this.ctx.storage.sql),
    recoveries: new RecoveryStore(this.ctx.storage.sql),
  };
  readonly #courier = new Courier(this.#stores, {
    now: () => this.now(),
    random: () => this.random(),
    wait: (ms) => this.wait(ms),
    log: this.#log,
    keys: new KeyRing(createSealer(readConfig({ ...this.env }).sealKeys)),
    transaction: (write) => this.ctx.storage.transactionSync(write),
  });
  readonly #waker = new Waker({
    now: () => this.now(),
    log: this.#log,
    getAlarm: () => this.ctx.storage.getAlarm(),
    setAlarm: (at) => this.ctx.storage.setAlarm(at),
    sendWake: (due, priority, delaySeconds) => this.#sendWake(due, priority, delaySeconds),
  });
  readonly #upkeep = new Upkeep(this.#stores, {
    ...EndpointObject.connect(this.env),
    now: () => this.now(),
    log: this.#log,
    name: this.ctx.id.name ?? "",
    transaction: (write) => this.ctx.storage.transactionSync(write),
  });
  readonly #keeper = new Keeper({
    endpoint: this.#stores.endpoint,
    courier: this.#courier,
    waker: this.#waker,
    upkeep: this.#upkeep,
    now: () => this.now(),
    log: this.#log,
    name: this.ctx.id.name ?? "",
  });
  readonly #reader = new Reader(
    { ...this.#stores, statistics: new StatisticsStore(this.ctx.storage.sql) },
    { courier: this.#courier, now: () => this.now() },
  );
  readonly #pollers = new Pollers();

  /** Takes over a configuration (JSON of EndpointConfig); one that is not newer changes nothing. */
  async configure(text: string): Promise<void> {
    const config = endpointConfigSchema.parse(JSON.parse(text));
    const before = this.#stores.endpoint.facts();
    if (before !== null && before.config.version >= config.version) return;
    this.ctx.storage.transactionSync(() => {
      this.#stores.endpoint.saveFacts(changedFacts(before, config, this.now()));
      if (config.state === "deleted") this.#stores.deliveries.cancelOpen();
    });
    // What came while it was not active is in no lane yet, and another ordering has other lanes.
    this.#courier.unload();
    if (before !== null && config.state === "active") await this.#waker.arm(this.now());
  }

  /** Stores notifications, each once however often it comes, and has them sent. */
  async enqueue(batch: EnqueueBatch): Promise<EnqueueReceipt> {
    const { config_version, callback, items } = enqueueBatchSchema.parse(batch);
    if (callback !== null) await this.configure(callback);
    await this.#keeper.load();
    const { endpoint, deliveries } = this.#stores;
    const facts = endpoint.facts();
    if (facts === null || facts.config.version < config_version) return { stored: 0, known: false };
    if (facts.config.state === "deleted") return { stored: 0, known: true };
    const rows = this.ctx.storage.transactionSync(() => {
      const fresh = items
        .map((item) => deliveries.insert(item, this.now()))
        .filter((row) => row !== null);
      if (facts.isIndexComplete && fresh.length > 0) endpoint.change({ isIndexComplete: false });
      return fresh;
    });
    this.#courier.add(rows);
    if (rows.length > 0) this.#pollers.wakeAll();
    if (facts.config.state === "active" && rows.length > 0) await this.#keeper.sendSoon();
    return { stored: rows.length, known: true };
  }

  /** A retry may have come due: the consumer of the `retries` queues says so. */
  async wake(): Promise<void> {
    await this.#keeper.wake();
  }

  /** A page of deliveries, by task and seq. */
  deliveries(query: DeliveriesQuery): Result<DeliveriesPage, Refusal> {
    return this.#reader.page(query);
  }

  /** One delivery with its attempts. */
  delivery(delivery_id: string): Result<DeliveryView, Refusal> {
    return this.#reader.delivery(delivery_id);
  }

  /**
   * Sends a delivery again, whatever became of it; its id and its bytes stay the same. While the endpoint is active,
   * one that waits behind others of its lane keeps waiting: no replay breaks their order.
   */
  async replay(delivery_id: string): Answer<DeliveryView> {
    await this.#keeper.load();
    const found = this.#reader.find(delivery_id);
    if (!found.ok) return found;
    const { deliveries, endpoint } = this.#stores;
    const config = endpoint.facts()?.config;
    if (config === undefined || config.state === "deleted") return refuse(DELETED);
    if (this.#courier.isInFlight(found.value)) return refuse(IN_FLIGHT);
    const isWaiting = found.value.state === "open" && config.state === "active";
    const isBehind = isWaiting && deliveries.isBehindOpen(found.value, config.ordering);
    if (found.value.replay_at !== null || isBehind) return ok(this.#reader.view(found.value));
    const row = { ...found.value, replay_at: this.now() };
    deliveries.save(row);
    return this.#sendReplay(row);
  }

  /** Sends a test notification, also while the endpoint is paused. Once: a failed test is not tried again. */
  async sendTest(): Answer<DeliveryView> {
    await this.#keeper.load();
    if (this.#stores.endpoint.facts() === null) return refuse(UNKNOWN);
    const replay_at = this.now();
    const item = testItem(randomId(), replay_at);
    const row = this.#stores.deliveries.insert(item, replay_at, { state: "exhausted", replay_at });
    if (row === null) throw new Error(`The test ${item.event_id} exists already`);
    this.#pollers.wakeAll();
    return this.#sendReplay(row);
  }

  /** An operator wants it served again: a pause and an open breaker end, the next one due goes as a probe. */
  async resume(): Promise<void> {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return;
    this.#stores.endpoint.saveFacts(resumedFacts(facts, this.now()));
    await this.#waker.arm(this.now());
  }

  /** The breaker's level: 4 when it is disabled, whoever did it. */
  level(): number {
    return this.#reader.level();
  }

  /** How it has done in the last seconds. Null while nobody has configured it. */
  figures(window_s: number): EndpointFigures | null {
    return this.#reader.figures(window_s);
  }

  /** What came behind a position, as JSON of a Poll; waits for something if there is nothing. */
  async poll(query: PollQuery): Answer<string> {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return ok(JSON.stringify({ items: [], next_after: query.after }));
    const { webhook_id } = facts.config;
    const found = pollNow(this.#stores.deliveries, webhook_id, query);
    if (found.items.length > 0 || query.wait === 0) return ok(JSON.stringify(found));
    await this.#pollers.wait(this.wait(query.wait * 1_000));
    return ok(JSON.stringify(pollNow(this.#stores.deliveries, webhook_id, query)));
  }

  /** How many deliveries a recovery would send again. */
  recoverable(range: RecoveryRange): RecoveryMatch {
    const isKnown = this.#stores.endpoint.facts() !== null;
    return { matched: isKnown ? this.#stores.recoveries.count(range) : 0 };
  }

  /** Sends deliveries again, page by page, however many there are. Repeated with the same id it is the same. */
  async recover(recovery_id: string, range: RecoveryRange): Answer<Recovery> {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return refuse(UNKNOWN);
    if (facts.config.state === "deleted") return refuse(DELETED);
    const { recoveries } = this.#stores;
    recoveries.insert(recovery_id, range, recoveries.count(range));
    await this.#waker.arm(this.now());
    return this.recovery(recovery_id);
  }

  /** How far a recovery has come; refuses `recovery_not_found`. */
  recovery(recovery_id: string): Result<Recovery, Refusal> {
    const isKnown = this.#stores.endpoint.facts() !== null;
    const row = isKnown ? this.#stores.recoveries.read(recovery_id) : null;
    const detail = `There is no recovery ${recovery_id}.`;
    return row === null ? refuse({ code: "recovery_not_found", detail }) : ok(recoveryView(row));
  }

  /** Ends a recovery; what it has opened stays open. */
  cancelRecovery(recovery_id: string): Result<Recovery, Refusal> {
    const found = this.recovery(recovery_id);
    if (!found.ok) return found;
    this.#stores.recoveries.cancel(recovery_id);
    return this.recovery(recovery_id);
  }

  /** Forgets what is too old, all of it. False when nothing is left that could become too old. */
  async sweep(): Promise<boolean> {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return false;
    while (!this.#upkeep.sweepPage());
    const isEmpty = this.#stores.deliveries.page({ source: "", seq: -1 }, null, 1).length === 0;
    if (isEmpty && facts.config.state === "deleted") {
      await this.ctx.storage.deleteAll();
      this.#stores.endpoint.forget();
      this.#courier.unload();
    }
    return !isEmpty;
  }

  override async alarm(): Promise<void> {
    await this.#keeper.alarm();
  }

  async #sendReplay(row: DeliveryRow): Answer<DeliveryView> {
    this.#courier.addReplay(row);
    await this.#keeper.sendSoon();
    return ok(this.#reader.view(row));
  }

  async #sendWake(due: number, priority: Priority, delaySeconds: number): Promise<void> {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return;
    const { tenant, webhook_id, shard } = facts.config;
    await EndpointObject.connect(this.env).sendWake(
      { tenant, webhook_id, shard, due },
      priority,
      delaySeconds,
    );
  }
}

const UNKNOWN: Refusal = {
  code: "webhook_not_found",
  detail: "Nobody has configured this endpoint.",
};
const IN_FLIGHT: Refusal = { code: "delivery_in_flight", detail: "It is being sent just now." };
const DELETED: Refusal = { code: "webhook_not_found", detail: "Its endpoint was deleted." };
