import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { Block, Offence } from "../protocol/block.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Page } from "./ports.ts";

/** The limit of requests by address. */
export interface AddressPort {
  /** Requests that an address may make in a window, and how long that is. */
  readonly quota: number;
  readonly window_s: number;
  /** Under what the address in a header is counted. */
  accountOf(header: string | undefined): string;
  /** Whether one more request may pass. */
  take(account: string): Promise<boolean>;
}

/** Repeat offenders. Each is an address or, when it has authenticated, a key. */
export interface OffenderPort {
  /** How long somebody is still blocked, milliseconds; 0 when not. */
  blockedFor(caller: Caller): number;
  /** Whether what a caller from a blocked address sends as proof may be looked up now. */
  mayProve(caller: Caller, proof: string): boolean;
  /** Counts an offence; the work that is left to do after the answer, if any. */
  commit(caller: Caller, offence: Offence): Promise<void> | null;
  /** Asks whether somebody who is being refused still has to be; likewise. */
  recheck(caller: Caller): Promise<void> | null;
}

/** Who is counted: a key where it is known, else an address by its account. */
export type Caller = Principal | string;

/** Blocks in force. */
interface BlockPort {
  list(by: Principal, page: { cursor?: string | undefined; limit: number }): Promise<Page<Block>>;
  /** Refused: block_not_found. */
  lift(by: Principal, block_id: string): Promise<Result<null, Refusal>>;
}

/** What the face needs against floods, repeat offenders and foreign pages. */
export interface OutskirtPorts {
  /** Origins whose scripts may use this API in a browser. */
  corsOrigins: readonly string[];
  /** A static file, as the platform serves it. */
  page: (request: Request) => Promise<Response>;
  addresses: AddressPort;
  offenders: OffenderPort;
  blocks: BlockPort;
}
