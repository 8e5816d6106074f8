import type { Log } from "../../lib/log.ts";
import type { Clock, Random } from "../../lib/ports.ts";
import type { Sealer } from "../../lib/seal.ts";
import { attemptDelivery, KeyRing, type Job } from "../attempt.ts";
import { deliveryId } from "../delivery-id.ts";
import { Agenda, type AgendaItem, type Gate } from "./agenda.ts";
import type { DeliveryRow } from "./delivery-row.ts";
import type { EndpointFacts, EndpointStore } from "./endpoint-store.ts";
import { SendLoop, type Finished } from "./send-loop.ts";
import { settle, type SendReport } from "./settle.ts";

/** One run sends for at most a minute; the platform ends an alarm after 15 (facts/platform.md §4, Workers). */
const RUN_MS = 60_000;

type Turn = AgendaItem & Job;

/** What a courier is given. */
export interface CourierPorts {
  now: Clock;
  random: Random;
  log: Log;
  /** Opens the endpoint's secrets. */
  sealer: Pick<Sealer, "open">;
  /** Makes the writes inside it one commit. */
  transaction: (write: () => void) => void;
}

/** Sends the deliveries of one endpoint and stores what became of them. When to send, its object decides. */
export class Courier {
  readonly #store: EndpointStore;
  readonly #ports: CourierPorts;
  readonly #keys: KeyRing;
  #loop = new SendLoop<Turn, SendReport>();
  #agenda = new Agenda("task");
  #isLoaded = false;

  constructor(store: EndpointStore, ports: CourierPorts) {
    this.#store = store;
    this.#ports = ports;
    this.#keys = new KeyRing(ports.sealer);
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
    const facts = this.#store.facts();
    if (this.#isLoaded || this.#loop.isRunning || facts === null) return;
    this.#agenda = new Agenda(facts.config.ordering);
    if (isAnythingOpen) {
      for (const row of this.#store.openRows(facts.isIndexComplete)) this.#agenda.add(row);
      for (const row of this.#store.replayRows()) this.#agenda.addReplay(row);
    }
    this.#isLoaded = true;
  }

  /** What is in memory may no longer hold: nothing more is sent until it is loaded again. */
  unload(): void {
    this.#isLoaded = false;
  }

  /** Starts afresh after an error, without what may still be in flight: it is sent again. */
  reset(): void {
    this.#store.forget();
    this.#loop = new SendLoop();
    this.#isLoaded = false;
  }

  /** Adds open deliveries to their lanes. */
  add(rows: readonly DeliveryRow[]): void {
    for (const row of rows) this.#agenda.add(row);
    this.poke();
  }

  /** Adds a delivery that an operator wants sent again. */
  addReplay(row: DeliveryRow): void {
    this.#agenda.addReplay(row);
    this.poke();
  }

  /** Has a run look again for what has come due. */
  poke(): void {
    if (this.#loop.isRunning) this.#loop.poke();
  }

  isInFlight(row: DeliveryRow): boolean {
    return this.#agenda.isInFlight(row);
  }

  /** When something may be sent next, in epoch milliseconds; null when nothing waits for a time. */
  nextDue(): number | null {
    const facts = this.#store.facts();
    return facts === null ? null : this.#agenda.nextDue(gateOf(facts));
  }

  /** Whether everything open can be found from the retries' index when this object wakes again. */
  isIndexComplete(): boolean {
    // The one lane of an endpoint holds many tasks, and the index knows the task of its head alone.
    const isOneLane = this.#store.facts()?.config.ordering === "endpoint";
    return !isOneLane && this.#isLoaded && this.#agenda.isAllRetrying();
  }

  /** Sends what is due, and what comes due meanwhile, for about a minute. */
  async run(): Promise<void> {
    const until = this.#ports.now() + RUN_MS;
    await this.#loop.run({
      take: () => (this.#ports.now() < until ? this.#take() : null),
      send: (turn) => attemptDelivery(turn, { now: this.#ports.now, keys: this.#keys }),
      commit: (finished) => this.#commit(finished),
    });
  }

  #take(): Turn | null {
    const facts = this.#store.facts();
    if (facts === null || !this.#isLoaded) return null;
    for (;;) {
      const turn = this.#agenda.take(this.#ports.now(), gateOf(facts));
      if (turn === null) return null;
      const row = this.#store.read(turn.item);
      // A replay may have delivered meanwhile what waited in its lane.
      if (row !== null && (turn.isManual || row.state === "open")) {
        return { ...turn, row, body: this.#store.body(row), config: facts.config };
      }
      this.#leave(turn);
    }
  }

  #leave(turn: AgendaItem): void {
    const isFreshNext = this.#agenda.settle(turn, null);
    const facts = this.#store.facts();
    if (isFreshNext && facts?.isIndexComplete) {
      this.#store.saveFacts({ ...facts, isIndexComplete: false });
    }
  }

  #commit(finished: readonly Finished<Turn, SendReport>[]): void {
    this.#ports.transaction(() => {
      for (const { item: turn, report } of finished) this.#settle(turn, report);
    });
  }

  #settle(turn: Turn, report: SendReport): void {
    const [stored, facts] = [this.#store.read(turn.item), this.#store.facts()];
    if (stored === null || facts === null) return this.#leave(turn);
    const { row, pauseUntil, isGone } = settle(stored, report, facts.config, this.#ports.random());
    this.#store.saveAttempt(row);
    if (row.state === "open" && row.due !== null) this.#agenda.settle(turn, row.due);
    else this.#leave(turn);
    this.#log(row, report, facts);
    if (isGone) this.#disable();
    if (pauseUntil !== null && pauseUntil > facts.pausedUntil) {
      this.#store.saveFacts({ ...(this.#store.facts() ?? facts), pausedUntil: pauseUntil });
    }
  }

  #disable(): void {
    const facts = this.#store.facts();
    if (facts === null || facts.config.state === "deleted") return;
    const config = { ...facts.config, state: "disabled" as const };
    this.#store.saveFacts({ ...facts, config, isUnreported: true });
    this.#ports.log("warning", "endpoint_disabled", { webhook_id: config.webhook_id });
  }

  #log(row: DeliveryRow, report: SendReport, { config }: EndpointFacts): void {
    const { webhook_id } = config;
    const isFine = row.state === "delivered";
    this.#ports.log(isFine ? "info" : "warning", "delivery_attempted", {
      webhook_id,
      delivery_id: deliveryId({ webhook_id, source: row.source, seq: row.seq }),
      correlation_id: row.correlation_id,
      attempt: row.attempts,
      status_code: report.status_code,
      fault: report.fault,
      duration_ms: report.ended_at - report.started_at,
      state: row.state,
    });
  }
}

function gateOf(facts: EndpointFacts): Gate {
  return { isActive: facts.config.state === "active", pausedUntil: facts.pausedUntil };
}
