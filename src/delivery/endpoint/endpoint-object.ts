import { DurableObject } from "cloudflare:workers";

import { readConfig } from "../../config.ts";
import { consoleLog } from "../../lib/log.ts";
import type { Clock, Random } from "../../lib/ports.ts";
import { ok, type Result } from "../../lib/result.ts";
import { createSealer } from "../../lib/seal.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { Recovery, RecoveryMatch } from "../../protocol/webhook-operations.ts";
import type { DeliveryView } from "../../protocol/webhook.ts";
import { KeyRing } from "../attempt.ts";
import {
  endpointConfigSchema,
  enqueueBatchSchema,
  type EnqueueBatch,
  type EnqueueItem,
  type EnqueueReceipt,
} from "../endpoint-config.ts";
import type { EndpointPorts } from "../level-report.ts";
import { BatchStore } from "./batch-store.ts";
import { changedFacts, resumedFacts } from "./configuring.ts";
import { CountedSql } from "./counted-sql-store.ts";
import { Courier } from "./courier.ts";
import type { DeliveriesPage, DeliveriesQuery } from "./delivery-reads.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import { DeliveryStore } from "./delivery-store.ts";
import { EndpointStore } from "./endpoint-store.ts";
import { Keeper } from "./keeper.ts";
import { Pollers, pollNow, type PollQuery } from "./polling.ts";
import { Reader } from "./reader.ts";
import { Recoveries } from "./recoveries.ts";
import { RecoveryStore, type RecoveryRange } from "./recovery-store.ts";
import { Replays } from "./replays.ts";
import { StatisticsStore } from "./statistics-store.ts";
import type { EndpointFigures } from "./statistics.ts";
import { Upkeep } from "./upkeep.ts";
import { Waker } from "./waker.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/**
 * One webhook endpoint of one tenant, or a shard of one: its deliveries in order, and the only sender to it.
 *
 * Whatever is stored to be sent sets an alarm in the same turn, and is sent at once, beside the call that brought it. The
 * `retries` queues wake the object when a retry comes due. The alarm makes up for what was lost on the way: a run with its
 * object, or a message. So there is an alarm as long as anything may be sent, and without one nothing has to be looked for.
 */
export class EndpointObject extends DurableObject<Env> {
  /** Set by index.ts: what this object asks of other parts. */
  static connect: (env: Env) => EndpointPorts;

  now: Clock = () => Date.now();
  random: Random = () => Math.random();
  wait: (ms: number, isBusy: boolean) => Promise<void> = (ms) => scheduler.wait(ms);
  /** Has work done that nobody waits for; a pending request keeps the object (facts/platform.md §4, Keep-alive). */
  begin: (work: () => Promise<void>) => void = (work) => void work();
  readonly #log = consoleLog("endpoint", () => this.now());
  readonly #meter = EndpointObject.connect(this.env).meter;
  readonly #counted = new CountedSql(this.ctx.storage.sql, this.#meter);
  readonly #stores = {
    endpoint: new EndpointStore(this.#counted.sql),
    deliveries: new DeliveryStore(this.#counted.sql),
    batches: new BatchStore(this.#counted.sql),
    recoveries: new RecoveryStore(this.#counted.sql),
  };
  readonly #courier = new Courier(this.#stores, {
    now: () => this.now(),
    random: () => this.random(),
    wait: (ms, isBusy) => this.wait(ms, isBusy),
    log: this.#log,
    meter: this.#meter,
    keys: new KeyRing(createSealer(readConfig({ ...this.env }).sealKeys)),
    onLevelChange: () => this.#keeper.reportSoon(),
    transaction: (write) => this.ctx.storage.transactionSync(write),
  });
  readonly #waker = new Waker({
    now: () => this.now(),
    log: this.#log,
    getAlarm: () => this.ctx.storage.getAlarm(),
    setAlarm: (at) => this.ctx.storage.setAlarm(at),
    endpoint: this.#stores.endpoint,
    sendWake: (...wake) => EndpointObject.connect(this.env).sendWake(...wake),
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
    begin: (work) => this.begin(work),
    // Nothing that is to be sent waits for it, and what is lost with it is told with the next.
    tellMeter: () => this.ctx.waitUntil(this.#counted.tell(this.#stores.endpoint.facts())),
  });
  readonly #reader = new Reader(
    { ...this.#stores, statistics: new StatisticsStore(this.ctx.storage.sql) },
    { courier: this.#courier, now: () => this.now() },
  );
  readonly #replays = new Replays({
    ...this.#stores,
    reader: this.#reader,
    courier: this.#courier,
    now: () => this.now(),
  });
  readonly #recoveries = new Recoveries(this.#stores.endpoint, this.#stores.recoveries);
  readonly #pollers = new Pollers();

  /** Takes over a configuration (JSON of EndpointConfig); one that is not newer changes nothing. */
  async configure(text: string): Promise<void> {
    const config = endpointConfigSchema.parse(JSON.parse(text));
    const before = this.#stores.endpoint.facts();
    if (before !== null && before.config.version >= config.version) return;
    this.ctx.storage.transactionSync(() => {
      this.#stores.endpoint.saveFacts(changedFacts(before, config, this.now()));
      if (config.state !== "deleted") return;
      this.#stores.deliveries.cancelOpen();
      this.#stores.recoveries.cancelAll();
    });
    // What came while it was not active is in no lane yet, and another ordering has other lanes.
    this.#courier.unload();
    if (before !== null && config.state === "active") await this.#keeper.runNow();
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
        .map((item) => deliveries.insert(item, this.now()) ?? this.#known(item))
        .filter((row) => row !== null);
      if (facts.isIndexComplete && fresh.length > 0) endpoint.change({ isIndexComplete: false });
      return fresh;
    });
    this.#courier.add(rows);
    if (rows.length > 0) this.#pollers.wakeAll();
    if (rows.length > 0) await this.#keeper.sendSoon();
    return { stored: rows.length, known: true };
  }

  /** Stores nothing of what is there already. Says so if that is another notification, which this one is lost behind. */
  #known(item: EnqueueItem): null {
    const { task_id, seq, event_id } = item;
    if (task_id === null || !this.#stores.deliveries.isTaken(item)) return null;
    const { webhook_id } = this.#stores.endpoint.facts()?.config ?? {};
    this.#log("warning", "delivery_place_taken", { webhook_id, task_id, seq, event_id });
    return null;
  }

  /** A retry may have come due: the consumer of the `retries` queues says so. */
  async wake(): Promise<void> {
    await this.#keeper.wake();
  }

  /** A page of deliveries, by task and seq. */
  async deliveries(query: DeliveriesQuery): Answer<DeliveriesPage> {
    await this.#keeper.load();
    return this.#reader.page(query);
  }

  /** One delivery with its attempts. */
  async delivery(delivery_id: string): Answer<DeliveryView> {
    await this.#keeper.load();
    return this.#reader.delivery(delivery_id);
  }

  /** Sends a delivery again, whatever became of it; its id and its bytes stay the same. */
  async replay(delivery_id: string): Answer<DeliveryView> {
    await this.#keeper.load();
    return this.#sendSoon(this.#replays.replay(delivery_id));
  }

  /** Sends a test notification, also while the endpoint is paused. */
  async sendTest(): Answer<DeliveryView> {
    await this.#keeper.load();
    const test = this.#replays.test();
    if (test.ok) this.#pollers.wakeAll();
    return this.#sendSoon(test);
  }

  /** An operator wants it served again: a pause and an open breaker end, the next one due goes as a probe. */
  async resume(): Promise<void> {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return;
    this.#stores.endpoint.saveFacts(resumedFacts(facts, this.now()));
    await this.#keeper.runNow();
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
    const found = pollNow(this.#stores, query);
    if (found.items.length > 0 || query.wait === 0) return ok(JSON.stringify(found));
    await this.#pollers.wait(this.wait(query.wait * 1_000, false));
    return ok(JSON.stringify(pollNow(this.#stores, query)));
  }

  /** How many deliveries a recovery would send again. */
  recoverable(range: RecoveryRange): RecoveryMatch {
    return this.#recoveries.count(range);
  }

  /** Sends deliveries again, page by page, however many there are. Repeated with the same id it is the same. */
  async recover(recovery_id: string, range: RecoveryRange): Answer<Recovery> {
    const started = this.#recoveries.start(recovery_id, range);
    if (started.ok) await this.#keeper.runNow();
    return started;
  }

  /** How far a recovery has come; refuses `recovery_not_found`. */
  recovery(recovery_id: string): Result<Recovery, Refusal> {
    return this.#recoveries.show(recovery_id);
  }

  /** Ends a recovery; what it has opened stays open. */
  cancelRecovery(recovery_id: string): Result<Recovery, Refusal> {
    return this.#recoveries.cancel(recovery_id);
  }

  /** Forgets what is too old, all of it. False when nothing is left that could become too old. */
  async sweep(): Promise<boolean> {
    const isKept = this.#upkeep.sweepSome();
    if (isKept || !this.#upkeep.isOver) {
      // What was not looked at yet, and whatever an alarm that was lost should have sent.
      await this.#keeper.revive();
      return isKept;
    }
    await this.ctx.storage.deleteAll();
    this.#stores.endpoint.forget();
    this.#courier.unload();
    return false;
  }

  override async alarm(): Promise<void> {
    await this.#keeper.alarm();
  }

  async #sendSoon(wished: Result<DeliveryRow, Refusal>): Answer<DeliveryView> {
    if (!wished.ok) return wished;
    await this.#keeper.sendSoon();
    return ok(this.#reader.view(wished.value));
  }
}
