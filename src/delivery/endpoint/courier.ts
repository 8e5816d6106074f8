import type { Log } from "../../lib/log.ts";
import type { Clock, Random } from "../../lib/ports.ts";
import { attemptDelivery, type KeyRing } from "../attempt.ts";
import { batchRules } from "../batching.ts";
import { limitsOf, rulesOf, sentLower } from "../breaker-state.ts";
import type { DeliveryMeter } from "../level-report.ts";
import { Agenda, type Unit } from "./agenda.ts";
import { Backlog, MOST_IN_MEMORY } from "./backlog.ts";
import type { BatchStore } from "./batch-store.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import type { DeliveryStore } from "./delivery-store.ts";
import type { EndpointFacts, EndpointStore } from "./endpoint-store.ts";
import { releaseAtOf, type Gate, type NextTurn } from "./gate.ts";
import { placeKey } from "./lane.ts";
import { Ledger, type Outcome } from "./ledger.ts";
import { Pacer } from "./pacer.ts";
import { RunBudget } from "./run-budget.ts";
import { SendLoop, type Finished } from "./send-loop.ts";
import { isAlone, turnOf, type Turn } from "./turn.ts";

/** A run stays awake for a wait of this length: beyond it, another alarm costs less (facts/platform.md §4). */
const LONGEST_GAP_MS = 500;

/** How much the newest answer counts in the smoothed latency. */
const SMOOTHING = 0.2;

/** What an endpoint's object has stored. */
export interface EndpointStores {
  endpoint: EndpointStore;
  deliveries: DeliveryStore;
  batches: BatchStore;
}

/** What a courier is given. */
export interface CourierPorts {
  now: Clock;
  random: Random;
  /** Lets milliseconds pass; `isBusy` while something is in flight. */
  wait: (ms: number, isBusy: boolean) => Promise<void>;
  log: Log;
  meter: DeliveryMeter;
  keys: KeyRing;
  /** There is a changed level to be told of. */
  onLevelChange: () => void;
  /** Makes the writes inside it one commit. */
  transaction: (write: () => void) => void;
}

/** Sends the deliveries of one endpoint and has stored what became of them. When to send, its object decides. */
export class Courier {
  readonly #stores: EndpointStores;
  readonly #ports: CourierPorts;
  readonly #ledger: Ledger;
  #loop = new SendLoop<Turn, Outcome>();
  #agenda = new Agenda({ ordering: "task", lanePolicy: "block", batching: null });
  readonly #backlog: Backlog;
  /** Keys of what waits in a batch and not in its lane, and of what may have left alone before this object woke up. */
  readonly #stored = new Map<string, "batch" | "alone">();
  #isLoaded = false;
  readonly #pacer = new Pacer();
  #latencyMs = 0;

  constructor(stores: EndpointStores, ports: CourierPorts) {
    this.#stores = stores;
    this.#ports = ports;
    this.#backlog = new Backlog(stores.deliveries);
    this.#ledger = new Ledger(stores, ports);
  }

  /** Whether what may be sent is in memory. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** Whether `run` is under way: it sees what is added. */
  get isRunning(): boolean {
    return this.#loop.isRunning;
  }

  /**
   * Brings into memory what may be sent, unless it is there. Not during a run: what is in flight keeps its lane.
   *
   * @param isAnythingOpen false spares the look at the table
   */
  load(isAnythingOpen: boolean): void {
    const facts = this.#stores.endpoint.facts();
    if (this.#isLoaded || this.#loop.isRunning || facts === null) return;
    const { ordering, lane_policy, batching, rate_limit, shard, shards } = facts.config;
    this.#agenda = new Agenda({
      ordering,
      lanePolicy: lane_policy,
      batching: batchRules(batching),
    });
    const life = { reserved: facts.rateReserved, now: this.#ports.now() };
    this.#pacer.set(rate_limit, { index: shard, count: shards }, life);
    if (isAnythingOpen) this.#fillAgenda(facts);
    else this.#backlog.empty();
    this.#isLoaded = true;
  }

  #fillAgenda({ config, isIndexComplete }: EndpointFacts): void {
    const { deliveries, batches } = this.#stores;
    const now = this.#ports.now();
    this.#stored.clear();
    for (const batch of batches.open()) {
      const rows = batch.members.flatMap((place) => deliveries.read(place) ?? []);
      const first = rows.find(({ state }) => state === "open");
      if (first === undefined) {
        batches.close(batch.batch_id);
        continue;
      }
      const how = isAlone(batch, config.webhook_id) ? "alone" : "batch";
      for (const row of rows) this.#stored.set(placeKey(row), how);
      if (how === "alone") continue;
      const releaseAt = releaseAtOf(config.lane_policy, first.first_failed_at);
      const due = first.due ?? now;
      this.#agenda.addHeld({ ...batch, due, releaseAt, isReleased: false }, rows, now);
    }
    this.#addOpen(this.#backlog.first(isIndexComplete), now);
    for (const row of deliveries.replayRows()) this.#agenda.addReplay(row, now);
  }

  #addOpen(rows: readonly DeliveryRow[], now: number): void {
    for (const row of rows) {
      this.#stores.deliveries.continueBehind(row.position);
      const how = this.#stored.get(placeKey(row));
      if (how !== "batch") this.#agenda.add(row, now, how === "alone");
    }
  }

  #refill(): void {
    this.#addOpen(this.#backlog.next(this.#agenda.size), this.#ports.now());
  }

  /** What is in memory may no longer hold: nothing more is sent until it is loaded again. */
  unload(): void {
    this.#isLoaded = false;
  }

  /** Starts afresh after an error, without what may still be in flight: it is sent again. */
  reset(): void {
    this.#stores.endpoint.forget();
    this.#loop = new SendLoop();
    this.#isLoaded = false;
  }

  /** Adds deliveries that have just been stored to their lanes. */
  add(rows: readonly DeliveryRow[]): void {
    const now = this.#ports.now();
    for (const row of this.#backlog.admit(rows, this.#agenda.size)) this.#agenda.add(row, now);
    this.poke();
  }

  /** Adds deliveries that a recovery has opened again; the caller waits while there is no room for them. */
  addRecovered(rows: readonly DeliveryRow[]): void {
    this.#addOpen(rows, this.#ports.now());
  }

  /** Whether there is room in memory for what a recovery opens. */
  get hasRoom(): boolean {
    return !this.#backlog.isPartial && this.#agenda.size < MOST_IN_MEMORY / 2;
  }

  /** Adds a delivery that an operator wants sent again. */
  addReplay(row: DeliveryRow): void {
    this.#agenda.addReplay(row, this.#ports.now());
    this.poke();
  }

  /** Has a run look again for what has come due. */
  poke(): void {
    if (this.#loop.isRunning) this.#loop.poke();
  }

  isInFlight(row: DeliveryRow): boolean {
    return this.#agenda.isInFlight(row);
  }

  /** Whether another delivery of its lane has to go before this one. */
  isBehind(row: DeliveryRow): boolean {
    return this.#agenda.isBehind(row);
  }

  /** When something may be sent next; null when nothing waits for a time. */
  next(): NextTurn | null {
    const gate = this.gate();
    if (gate === null) return null;
    this.#refill();
    return this.#agenda.next(this.#ports.now(), gate);
  }

  /** What keeps the endpoint from sending now; null while nobody has configured it. */
  gate(): Gate | null {
    const facts = this.#stores.endpoint.facts();
    if (facts === null) return null;
    const { config, breaker, pausedUntil } = facts;
    const limits = limitsOf(breaker, rulesOf(config.breaker), this.#ports.now());
    return {
      isActive: config.state === "active",
      pausedUntil,
      rateAt: this.#pacer.next(),
      // A disabled endpoint grants no slot, but an operator may still send a test or a replay.
      slots: Math.max(1, limits.slots),
      leastPriority: limits.leastPriority,
      trickleAt: limits.lowerAt ?? 0,
      probeAt: limits.probeAt,
      latencyMs: this.#latencyMs,
    };
  }

  /** Whether everything open can be found from the retries' index when this object wakes again. */
  isIndexComplete(): boolean {
    // The one lane of an endpoint holds many tasks, and the index knows the task of its head alone.
    const isOneLane = this.#stores.endpoint.facts()?.config.ordering === "endpoint";
    const isAllHere = this.#isLoaded && !this.#backlog.isPartial;
    return !isOneLane && isAllHere && this.#agenda.isAllRetrying();
  }

  /** Sends what is due, and what comes due meanwhile, for about a minute and at most 4,000 requests. */
  async run(): Promise<void> {
    const { now, keys, wait } = this.#ports;
    const budget = new RunBudget(now);
    await this.#loop.run({
      take: () => (budget.isOver ? null : budget.spend(this.#take())),
      send: async (turn) => ({
        ...turn.asked,
        ...(await attemptDelivery(turn.job, { now, keys })),
      }),
      commit: (finished) => this.#commit(finished),
      gap: () => (budget.isOver ? null : this.#gap()),
      wait: (ms) => wait(ms, this.#agenda.requests > 0),
    });
  }

  #gap(): number | null {
    const next = this.#isLoaded ? this.next() : null;
    if (next === null) return null;
    const gap = next.at - this.#ports.now();
    // While it waits for an answer it is awake anyway, and its alarm waits for it.
    const longest = this.#agenda.requests > 0 ? Infinity : LONGEST_GAP_MS;
    return gap > 0 && gap <= longest ? Math.min(gap, LONGEST_GAP_MS) : null;
  }

  #take(): Turn | null {
    const facts = this.#stores.endpoint.facts();
    const gate = this.gate();
    if (facts === null || gate === null || !this.#isLoaded) return null;
    this.#refill();
    for (;;) {
      const now = this.#ports.now();
      const unit = this.#agenda.take(now, gate);
      if (unit === null) return null;
      const { deliveries, batches } = this.#stores;
      const outgoing = unit.items.flatMap((item) => deliveries.readWithBody(item) ?? []);
      // A replay may have delivered meanwhile what waited in its lane.
      if (outgoing.some(({ row }) => unit.isManual || row.state === "open")) {
        this.#spend(facts, now);
        const { config, breaker } = facts;
        return turnOf({ unit, outgoing, config, level: breaker.level, now }, batches);
      }
      this.#leave(unit, now);
    }
  }

  /** Accounts for a request that leaves now, before it does. */
  #spend({ config, breaker, rateReserved }: EndpointFacts, now: number): void {
    const { endpoint } = this.#stores;
    endpoint.remember(sentLower(breaker, now));
    const { rateFactor } = limitsOf(breaker, rulesOf(config.breaker), now);
    const reserved = this.#pacer.spend(now, rateFactor, rateReserved);
    if (reserved !== null) endpoint.change({ rateReserved: reserved });
  }

  #leave(unit: Unit, now: number): void {
    if (unit.held !== null) this.#stores.batches.close(unit.held.batch_id);
    this.#noteFresh(this.#agenda.settle(unit, [], null, now));
  }

  #noteFresh(isFreshNext: boolean): void {
    const { endpoint } = this.#stores;
    if (isFreshNext && endpoint.facts()?.isIndexComplete)
      endpoint.change({ isIndexComplete: false });
  }

  #commit(finished: readonly Finished<Turn, Outcome>[]): void {
    const now = this.#ports.now();
    this.#ports.transaction(() => {
      for (const { item: turn, report } of finished) {
        const { rows, held } = this.#ledger.book(turn, report);
        this.#noteFresh(this.#agenda.settle(turn.unit, rows, held, now));
        const took = report.ended_at - report.started_at;
        this.#latencyMs += SMOOTHING * (took - this.#latencyMs);
      }
    });
  }
}
