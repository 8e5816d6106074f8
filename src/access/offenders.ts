import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import type { Offence } from "../protocol/block.ts";
import { added, isEnough, pointsOf, sentence, type Tally } from "./offences.ts";
import type { OffenderDoor, Report } from "./offender-door.ts";
import type { PartyName } from "./party.ts";
import { Recent } from "./recent.ts";

/** What counting offences needs. */
export interface OffendersPorts {
  /** The object that keeps a party, and its name. */
  door: (name: PartyName) => { id: string; door: OffenderDoor };
  /** Multiplies what is tolerated. */
  factor: number;
  now: Clock;
  log: Log;
}

/** What an isolate knows of a caller. Instants are epoch milliseconds. */
interface Account {
  tally: Tally | undefined;
  /** What the object has not been told yet. */
  untold: Omit<Report, "name"> | null;
  /** 0 when it is not blocked. */
  blocked_until: number;
  /** When the object was last asked whether the block is still in force. */
  asked_at: number;
}

const STRANGER: Account = {
  tally: undefined,
  untold: null,
  blocked_until: 0,
  asked_at: 0,
};

/** What the object has not been told yet, with something more. */
function besides(untold: Account["untold"], more: Omit<Report, "name">): Omit<Report, "name"> {
  return {
    ...more,
    points: more.points + (untold?.points ?? 0),
    isEnough: more.isEnough || untold?.isEnough === true,
  };
}

/** Callers that an isolate remembers; the longest silent go first, and the objects remember them. */
const MAX_REMEMBERED = 10_000;

/** As long as the longest block: what is older says nothing any more. */
const REMEMBERED_MS = 3_600_000;

/** An isolate tells an object no more often than this, unless a block is due. */
const REPORT_EVERY_MS = 2_000;

/** An isolate that refuses somebody asks this often whether the block was lifted. */
const RECHECK_EVERY_MS = 5_000;

/** From a blocked address so often what is sent as proof is looked up, of each of so many kinds of it. */
const PROOF_EVERY_MS = 1_000;
const PROOF_KINDS = 16;

/** Of which kind a proof is: the same text always of the same one. */
function kindOf(proof: string): number {
  let sum = 0;
  for (let place = 0; place < proof.length; place += 1) {
    sum = (Math.imul(sum, 31) + proof.charCodeAt(place)) >>> 0;
  }
  return sum % PROOF_KINDS;
}

/** Parties of one report. */
const MAX_REPORTED = 100;

/**
 * Who offends, as one isolate sees it, and who is blocked, as all of them do.
 *
 * An isolate decides by what it has seen itself, at once; the objects add up what all have seen, keep the blocks and
 * double them. They are told only when there was an offence, and asked only about callers that are being refused, so
 * that honest traffic costs a look into memory. When they can't be reached, each isolate blocks for itself.
 */
export class Offenders {
  readonly #ports: OffendersPorts;
  readonly #accounts = new Recent<Account>({
    maxEntries: MAX_REMEMBERED,
    ttl_ms: REMEMBERED_MS,
  });
  readonly #proofs = new Recent<true>({ maxEntries: MAX_REMEMBERED, ttl_ms: PROOF_EVERY_MS });
  /** Names with something untold, by object, and when each object was last told. */
  readonly #untold = new Map<string, { names: Set<PartyName>; told_at: number }>();

  constructor(ports: OffendersPorts) {
    this.#ports = ports;
  }

  /** How long a party is still blocked, milliseconds; 0 when it is not. */
  blockedFor(name: PartyName): number {
    const now = this.#ports.now();
    return Math.max(0, (this.#accounts.get(name, now)?.blocked_until ?? 0) - now);
  }

  /**
   * Whether what a blocked party sends as proof may be looked up now: once a second for each kind of proof, so that
   * one client that repeats a dead key takes no more than one turn in sixteen from those behind the same address.
   */
  mayProve(name: PartyName, proof: string): boolean {
    const now = this.#ports.now();
    const turn = `${name}#${kindOf(proof)}`;
    if (this.#proofs.get(turn, now) !== undefined) return false;
    this.#proofs.put(turn, true, now);
    return true;
  }

  /** Counts an offence; the work that tells the object of it, or null when that is not due. */
  commit(name: PartyName, offence: Offence): Promise<void> | null {
    const now = this.#ports.now();
    const account = this.#account(name, now);
    // What still gets through is of those who may prove themselves: a block does not feed on itself.
    if (now < account.blocked_until) return null;
    const points = pointsOf(offence);
    const tally = added(account.tally, points, now);
    const enough = isEnough(tally, this.#ports.factor);
    this.#accounts.put(
      name,
      {
        ...account,
        tally: enough ? undefined : tally,
        untold: besides(account.untold, { points, offence, isEnough: enough }),
        blocked_until: enough ? sentence(null, now).until : 0,
      },
      now,
    );
    const { id, door } = this.#ports.door(name);
    const waiting = this.#untold.get(id) ?? { names: new Set(), told_at: -REPORT_EVERY_MS };
    if (waiting.names.size < MAX_REPORTED || enough) waiting.names.add(name);
    this.#untold.set(id, waiting);
    return enough || now >= waiting.told_at + REPORT_EVERY_MS ? this.#tell(door, waiting) : null;
  }

  /** Asks whether somebody who is being refused is still blocked; null when that is not due. */
  recheck(name: PartyName): Promise<void> | null {
    const now = this.#ports.now();
    const account = this.#account(name, now);
    if (now < account.asked_at + RECHECK_EVERY_MS) return null;
    this.#accounts.put(name, { ...account, asked_at: now }, now);
    const { id, door } = this.#ports.door(name);
    const waiting = this.#untold.get(id);
    // What the object did not hear when it was due is told now.
    if (account.untold !== null && waiting !== undefined) return this.#tell(door, waiting);
    return this.#asking(async () => {
      const until = await door.blockedUntil(name);
      this.#set(name, until);
    });
  }

  /** Forgets a block that was lifted. */
  forget(name: PartyName): void {
    this.#accounts.forget(name);
  }

  #account(name: PartyName, now: number): Account {
    return this.#accounts.get(name, now) ?? STRANGER;
  }

  #tell(door: OffenderDoor, waiting: { names: Set<PartyName>; told_at: number }): Promise<void> {
    const now = this.#ports.now();
    const reports: Report[] = [];
    for (const name of waiting.names) {
      const account = this.#account(name, now);
      if (account.untold === null) continue;
      reports.push({ name, ...account.untold });
      this.#accounts.put(name, { ...account, untold: null, asked_at: now }, now);
    }
    waiting.names.clear();
    waiting.told_at = now;
    return this.#asking(async () => {
      let untils: number[];
      try {
        untils = await door.report(reports, this.#ports.factor);
      } catch (error) {
        this.#keepUntold(reports, waiting.names);
        throw error;
      }
      reports.forEach(({ name }, place) => {
        const until = untils[place] ?? 0;
        // A block that this isolate has decided upon meanwhile stands: the object is being told of it.
        if (until > 0) this.#set(name, until);
      });
    });
  }

  /** What could not be told is told with the next offence. */
  #keepUntold(reports: readonly Report[], names: Set<PartyName>): void {
    const now = this.#ports.now();
    for (const { name, points, offence, isEnough: enough } of reports) {
      const account = this.#account(name, now);
      const untold = besides(account.untold, { points, offence, isEnough: enough });
      this.#accounts.put(name, { ...account, untold }, now);
      names.add(name);
    }
  }

  #set(name: PartyName, blocked_until: number): void {
    const now = this.#ports.now();
    this.#accounts.put(name, { ...this.#account(name, now), blocked_until }, now);
  }

  async #asking(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Each isolate goes on by what it has seen itself.
      this.#ports.log("warning", "offenders_unreachable", { error: String(error) });
    }
  }
}
