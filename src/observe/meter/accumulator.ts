import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import { metricOf, type TechnicalName } from "./catalogue.ts";
import type { MeterDoor, TellCall } from "./meter-door.ts";
import { BoundedTally, seriesKey, timed, type Tally } from "./tally.ts";

/** Tenants whose figures wait at one time; what comes of others then is counted as the installation's own. */
const MAX_TENANTS = 500;

/** A call that has not answered for so long died with the request that made it. Milliseconds. */
const GIVEN_UP_MS = 30_000;

/** Calls for the same figures: an object that was moved or renewed takes the second one. */
const TRIES = 2;

/** What an accumulator is given. */
export interface AccumulatorParts {
  now: Clock;
  log: Log;
  door: (tenant: string) => Pick<MeterDoor, "tell">;
  /** Names this life of an isolate; unique. */
  source: string;
  /** Lets figures wait to be told together; null: they wait until somebody calls `flush`. */
  pause: () => Promise<void> | null;
}

/** What one tenant has: what is counted, and what is being told. */
interface Account {
  counted: BoundedTally;
  /** On its way, or to be told again: with the same number, so that it counts once. */
  told: { number: number; tally: Tally } | null;
  /** The telling under way, and when its last call began; null while there is none. */
  telling: { since: number } | null;
  /** Whether somebody has asked meanwhile: what came since is then told by whoever is at it. */
  isAwaited: boolean;
}

/**
 * The figures of one isolate, by tenant, until they are told to the tenants' MeterObjects.
 *
 * A call that fails is made again, at once and with the next flush, and what it carries counts once. What an isolate has
 * not told when it dies is lost: five seconds of technical figures at most.
 */
export class Accumulator {
  readonly #parts: AccumulatorParts;
  readonly #accounts = new Map<string, Account>();
  #pausingSince: number | null = null;
  /** Of what was told last, to whomever: so the numbers of a tenant rise even when it was forgotten meanwhile. */
  #number = 0;

  constructor(parts: AccumulatorParts) {
    this.#parts = parts;
  }

  /** Adds to a counter. `values`: those of its labels, in the catalogue's order. */
  count(tenant: string, metric: TechnicalName, values: readonly string[], by = 1): void {
    if (by > 0) this.#accountOf(tenant).counted.add(seriesKey(metric, values), [by]);
  }

  /** Adds a duration to a histogram. */
  time(tenant: string, metric: TechnicalName, values: readonly string[], ms: number): void {
    const figures = timed(metricOf(metric)?.buckets ?? [], ms);
    this.#accountOf(tenant).counted.add(seriesKey(metric, values), figures);
  }

  /** Tenants that it has figures of, or had. */
  get tenants(): string[] {
    return [...this.#accounts.keys()];
  }

  /** Has what was counted told in a while, unless that is on its way. The work never fails; null: nothing to do. */
  flushSoon(): Promise<void> | null {
    const { now, pause } = this.#parts;
    const isPausing = this.#pausingSince !== null && now() - this.#pausingSince < GIVEN_UP_MS;
    const pausing = isPausing ? null : pause();
    if (pausing === null) return null;
    this.#pausingSince = now();
    return pausing.then(() => {
      this.#pausingSince = null;
      return this.flush();
    });
  }

  /**
   * Tells what was counted: of one tenant, or of all. Where somebody is at it, that one also tells what came meanwhile, and
   * nobody waits for it: it may be the work of a request that has died. Never fails.
   */
  async flush(tenant?: string): Promise<void> {
    const names = tenant === undefined ? this.tenants : [tenant];
    await Promise.all(names.map((name) => this.#tell(name)));
  }

  async #tell(tenant: string): Promise<void> {
    const account = this.#accounts.get(tenant);
    if (account === undefined) return;
    account.isAwaited = true;
    if (this.#isTelling(account)) return;
    const telling = { since: this.#parts.now() };
    account.telling = telling;
    while (account.isAwaited && account.telling === telling) {
      // What an earlier call has not told goes first, by itself: then there is what came since.
      account.isAwaited = account.told !== null;
      const told = this.#toTell(account);
      // The second call says what the first one has not.
      // oxlint-disable-next-line no-await-in-loop
      if (told === null || !(await this.#call(tenant, told))) break;
      // Given up meanwhile, it may be that another call has told it, and more.
      if (account.told === told) account.told = null;
      telling.since = this.#parts.now();
    }
    if (account.telling === telling) account.telling = null;
  }

  /** What is to be told next; null: nothing. */
  #toTell(account: Account): Account["told"] {
    if (account.told === null && !account.counted.isEmpty) {
      this.#number += 1;
      account.told = { number: this.#number, tally: account.counted.figures };
      account.counted = new BoundedTally();
    }
    return account.told;
  }

  /** Whether it was heard. */
  async #call(tenant: string, told: NonNullable<Account["told"]>): Promise<boolean> {
    const { door, log, source } = this.#parts;
    const call: TellCall = { source, ...told };
    let error: unknown;
    for (let tried = 0; tried < TRIES; tried += 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- made again because it has failed
        await door(tenant).tell(JSON.stringify(call));
        return true;
      } catch (cause) {
        error = cause;
      }
    }
    log("warning", "meter_unavailable", { tenant, error: String(error) });
    return false;
  }

  #isTelling({ telling }: Account): boolean {
    return telling !== null && this.#parts.now() - telling.since < GIVEN_UP_MS;
  }

  #accountOf(tenant: string): Account {
    const known = this.#accounts.get(tenant);
    if (known !== undefined) return known;
    if (this.#accounts.size >= MAX_TENANTS && tenant !== "") {
      this.#forgetIdle();
      if (this.#accounts.size >= MAX_TENANTS) return this.#accountOf("");
    }
    const account = {
      counted: new BoundedTally(),
      told: null,
      telling: null,
      isAwaited: false,
    };
    this.#accounts.set(tenant, account);
    return account;
  }

  #forgetIdle(): void {
    for (const [tenant, account] of this.#accounts) {
      if (account.counted.isEmpty && account.told === null) this.#accounts.delete(tenant);
    }
  }
}
