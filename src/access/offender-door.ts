import type { Offence } from "../protocol/block.ts";
import type { Sentence } from "./offences.ts";

/** What one isolate has seen of one caller since it last told. */
export interface Report {
  /** Of whom: see `party.ts`. */
  name: string;
  points: number;
  /** The last one of them. */
  offence: Offence;
  /** Whether what this isolate has seen is enough by itself. */
  isEnough: boolean;
}

/** A block as it is kept. */
export interface StoredBlock extends Sentence {
  name: string;
  offence: Offence;
}

/** An object that knows the blocks of some callers, for all isolates. */
export interface OffenderDoor {
  /**
   * Adds what was seen; until when each of them is blocked, epoch milliseconds, 0 for not at all.
   *
   * @param factor multiplies what is tolerated
   */
  report(reports: readonly Report[], factor: number): Promise<number[]>;
  /** Until when somebody is blocked, epoch milliseconds; 0 for not at all. */
  blockedUntil(name: string): Promise<number>;
  /** Blocks in force in order of name, behind the one given. */
  blocks(after: string, limit: number): Promise<StoredBlock[]>;
  /** Ends a block, and what was counted of former ones; false when there is none in force. */
  lift(name: string): Promise<boolean>;
}
