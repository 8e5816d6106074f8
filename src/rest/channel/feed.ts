import type { Result } from "../../lib/result.ts";
import type { ClaimRequest } from "../../protocol/agent.ts";
import { SCHEMA_VERSION } from "../../protocol/primitives.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import type { EndedAttempt } from "../executor-ports.ts";
import type { Claimed } from "../sound-tasks.ts";

/** A claim waits as long as the longest long poll (protocol.md §4, Executor). Seconds. */
const WAIT_S = 25;

/** Ended attempts that no claim has named yet; older ones are freed by their own tasks. */
const MOST_ENDED = 10;

/** What a feed needs. */
export interface FeedParts {
  claim: (
    request: ClaimRequest,
    manner: { signal: AbortSignal; releasing: EndedAttempt | undefined },
  ) => Promise<Result<{ tasks: Claimed[] }, Refusal>>;
  /** Passes tasks on. */
  hand: (tasks: Claimed[]) => Promise<void>;
  /** No claim is possible any more. */
  onRefused: (refusal: Refusal) => void;
  onError: (cause: unknown) => void;
}

/** Claims tasks for one connection, one long poll after the other, for as long as its client is ready for some. */
export class TaskFeed {
  readonly #parts: FeedParts;
  #credit = 0;
  #isStopped = false;
  #ended: EndedAttempt[] = [];
  #isClaiming = false;
  #wait = new AbortController();

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Claims made so far. */
  calls = 0;

  /** Sets how many tasks the client takes from now on. Resolves when no more can be claimed for it. */
  ready(max_tasks: number): Promise<void> {
    this.#credit = max_tasks;
    // A claim that waits asked for another number.
    this.#wait.abort();
    return this.#claim();
  }

  /** An attempt has ended: its slot is free, which a claim that waits does not know. */
  slotFreed(ended: EndedAttempt): void {
    this.#ended = [...this.#ended, ended].slice(-MOST_ENDED);
    this.#wait.abort();
  }

  /** Claims nothing more; what is reserved for a claim that waits goes back. */
  stop(): void {
    this.#isStopped = true;
    this.#wait.abort();
  }

  async #claim(): Promise<void> {
    if (this.#isClaiming) return;
    this.#isClaiming = true;
    try {
      while (this.#credit > 0 && !this.#isStopped) {
        // One claim after the other, because each answer lowers the credit.
        // oxlint-disable-next-line no-await-in-loop
        await this.#claimOnce();
      }
    } catch (cause) {
      this.#isStopped = true;
      this.#parts.onError(cause);
    } finally {
      this.#isClaiming = false;
    }
  }

  async #claimOnce(): Promise<void> {
    this.calls += 1;
    this.#wait = new AbortController();
    const [releasing, ...later] = this.#ended;
    this.#ended = later;
    const request = {
      schema_version: SCHEMA_VERSION,
      max_tasks: this.#credit,
      wait_seconds: later.length > 0 ? 0 : WAIT_S,
    };
    const claimed = await this.#parts.claim(request, { signal: this.#wait.signal, releasing });
    if (!claimed.ok) {
      this.#isStopped = true;
      return this.#parts.onRefused(claimed.refusal);
    }
    const { tasks } = claimed.value;
    this.#credit = Math.max(0, this.#credit - tasks.length);
    if (tasks.length > 0) await this.#parts.hand(tasks);
  }
}
