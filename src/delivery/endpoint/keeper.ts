import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import type { Courier } from "./courier.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import type { NextTurn } from "./gate.ts";
import type { Upkeep } from "./upkeep.ts";
import { WATCHDOG_MS, type Waker } from "./waker.ts";

/** What a keeper keeps together. */
interface KeeperParts {
  endpoint: EndpointStore;
  courier: Courier;
  waker: Waker;
  upkeep: Upkeep;
  now: Clock;
  log: Log;
  /** Name of the object. */
  name: string;
  /** Has what was sent told to whoever counts it, without being waited for. */
  tellMeter: () => void;
  /** Has work done beside what is being answered; it never rejects. */
  begin: (work: () => Promise<void>) => void;
}

/**
 * Decides when an endpoint sends: at once in a run that nobody waits for, with an alarm behind it, or by the alarm alone.
 *
 * There is one run at a time. Until it is over an alarm is set, or one that has fired waits for it: whatever ends the object
 * meanwhile, the alarm comes and finds what was not sent.
 */
export class Keeper {
  readonly #parts: KeeperParts;
  #reporting: Promise<void> = Promise.resolve();
  /** The run that is under way; null when none is. */
  #run: Promise<void> | null = null;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
  }

  /** Brings into memory what may be sent, unless it is there. */
  async load(): Promise<void> {
    const { courier, waker, endpoint } = this.#parts;
    if (courier.isLoaded || endpoint.facts() === null) return;
    const isArmed = await waker.recall();
    // No alarm is set while one is being worked off.
    if (!courier.isLoaded) courier.load(isArmed || this.#run !== null);
  }

  /** Something was added: has it sent as soon as that may be. The alarm is set when this gives a promise. */
  async sendSoon(): Promise<void> {
    const { courier, upkeep, endpoint } = this.#parts;
    // A run sees what is added.
    const next = courier.isRunning ? null : courier.next();
    if (next !== null) return this.#plan(next);
    // Nothing else would wake an endpoint that is sent nothing, and what is too old would stay.
    const isActive = endpoint.facts()?.config.state === "active";
    if (!isActive && upkeep.isSweepDue) await this.runNow();
  }

  /** Has a run begin at once, beside the caller; the alarm behind it is set before anything is awaited. */
  async runNow(): Promise<void> {
    const { courier, waker, begin, now } = this.#parts;
    if (this.#run !== null) {
      // What it does not see any more, the alarm's own run does after it.
      courier.poke();
      return waker.arm(now());
    }
    const armed = waker.guard();
    begin(() =>
      this.#work().catch((error: unknown) => this.#logFailure("endpoint_alarm_failed", error)),
    );
    await armed;
  }

  /** Whatever has been lost on the way, an alarm among it: what is open is looked for, and sent in its time. */
  async revive(): Promise<void> {
    const { courier, upkeep, endpoint } = this.#parts;
    if (endpoint.facts() === null || courier.isRunning) return;
    courier.load(true);
    if (upkeep.isPending) return this.runNow();
    const next = courier.next();
    if (next !== null) await this.#plan(next);
  }

  /** A retry may have come due. */
  async wake(): Promise<void> {
    const { courier, waker, endpoint, now } = this.#parts;
    if (endpoint.facts() === null) return;
    // An alarm that comes sooner than the one behind what is sent now must not be put off by it.
    if (!courier.isLoaded) await waker.recall();
    if (courier.isRunning) return courier.poke();
    courier.load(true);
    const next = courier.next();
    if (next === null) return;
    if (next.at <= now()) await this.runNow();
    else if (next.isRetry) await waker.askWake(next.at, next.rank);
  }

  /** Tells of a changed level at once, beside what is being sent. */
  reportSoon(): void {
    this.#reporting = this.#reporting.then(() => this.#tend("report"));
  }

  /** Sends what a run has left, or never came to; never throws. */
  async alarm(): Promise<void> {
    this.#parts.waker.fired();
    // While it waits it is not over: the platform has it come again if the object is lost.
    await this.#run;
    await this.#work();
  }

  /** One run, or the one that is under way already. */
  #work(): Promise<void> {
    this.#run ??= this.#runOnce().finally(() => {
      this.#run = null;
    });
    return this.#run;
  }

  /** Sends what is due and does what else is to be done. */
  async #runOnce(): Promise<void> {
    const { courier, waker, upkeep, endpoint, now } = this.#parts;
    // An object that was emptied has nothing to do, whatever alarm was left.
    if (endpoint.facts() === null) return;
    try {
      courier.load(true);
      if (courier.hasRoom) courier.addRecovered(upkeep.recover());
      await courier.run();
      this.#parts.tellMeter();
      await this.#reporting;
      await this.#tend("sweepDaily");
      await this.#tend("report");
      await this.#planNext();
    } catch (error) {
      // Never out of here: an alarm that throws is dropped after six retries (facts/platform.md §4).
      this.#logFailure("endpoint_alarm_failed", error);
      courier.reset();
      await waker.arm(now() + WATCHDOG_MS);
    }
  }

  /** What others have to answer for: when they fail it is tried again, and nothing that is to be sent waits for it. */
  async #tend(task: "report" | "sweepDaily"): Promise<void> {
    const { upkeep, waker, now } = this.#parts;
    try {
      await upkeep[task]();
    } catch (error) {
      this.#logFailure("endpoint_upkeep_failed", error);
      await waker.arm(now() + WATCHDOG_MS);
    }
  }

  #logFailure(event: string, error: unknown): void {
    const { log, name } = this.#parts;
    log("error", event, { endpoint: name, error: String(error) });
  }

  /** What can go now does so at once, anything else in its time. */
  async #plan(next: NextTurn): Promise<void> {
    if (next.at <= this.#parts.now()) await this.runNow();
    else await this.#parts.waker.plan(next);
  }

  async #planNext(): Promise<void> {
    const { courier, waker, upkeep, now } = this.#parts;
    // A recovery that waits for room goes on with what makes it.
    const hasUpkeep = upkeep.isPending && courier.hasRoom;
    if (!courier.isLoaded || hasUpkeep) return waker.arm(now());
    const next = courier.next();
    this.#saveState(next?.isRetry === true && next.at > now());
    if (next !== null) await waker.plan(next);
  }

  /** Stores what a waking object needs, if it changed: the breaker, and whether the retries' index knows all. */
  #saveState(isWaitForRetry: boolean): void {
    const { courier, endpoint } = this.#parts;
    const isIndexComplete = isWaitForRetry && courier.isIndexComplete();
    const isNewlyComplete = isIndexComplete && endpoint.facts()?.isIndexComplete === false;
    const breaker = endpoint.unsavedBreaker();
    // Both are of one row: written together they cost one.
    if (isNewlyComplete || breaker !== null) {
      endpoint.change({ ...breaker, ...(isNewlyComplete && { isIndexComplete }) });
    }
  }
}
