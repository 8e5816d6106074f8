/** While something long is under way: at least so often, because a cancellation is waited for 30 s. Milliseconds. */
const LONGEST_SILENCE_MS = 10_000;

/** A consumer of a queue is stopped after 15 min (facts/platform.md §4); the rest is for the last words. Milliseconds. */
const LONGEST_RUN_MS = 14 * 60_000;

/** What is left of the attempt's time for its last words. Milliseconds. */
const LAST_WORDS_MS = 1_000;

/** How long work that was told to stop is waited for before it is left to itself. Milliseconds. */
const STOPPING_MS = 5_000;

/** What a last word needs on its way to the task. Milliseconds. */
const LAST_WAY_MS = 200;

/** Between the end of a step and the end of the wait for it, at most. Milliseconds. */
const STALL_MARGIN_MS = 10_000;

/** When the clocks of a task's whole life end it, whatever its attempts do. Epoch milliseconds. */
export interface Deadlines {
  /** Infinity where that is not known. */
  deadline_at: number;
  /** By contract.budget.max_duration_s; null where there is none, or until the first attempt has begun. */
  budget_ends_at: number | null;
}

/** What a task says of the pace of its attempt, in seconds. */
export interface Pace extends Deadlines {
  timeout: number;
  heartbeat_timeout: number;
  stall_timeout: number;
  progress_interval?: number | undefined;
  /** contract.budget.max_duration_s. */
  max_duration_s?: number | undefined;
}

/** The times of an attempt, all judged by the clocks that its task has (protocol.md §3). Instants are epoch milliseconds. */
export class Pacer {
  readonly #pace: Pace;
  readonly startedAt: number;
  #grantedMs = 0;
  #restsSince = 0;
  #restedMs = 0;

  constructor(pace: Pace, startedAt: number) {
    this.#pace = pace;
    this.startedAt = startedAt;
  }

  /** What was granted beyond the limits since the attempt began lengthens each of them. */
  grant(duration_s: number): void {
    this.#grantedMs += duration_s * 1_000;
  }

  /** A rest begins, which is no work. */
  rest(now: number): void {
    this.#restsSince = now;
  }

  /** The rest is over. */
  goOn(now: number): void {
    this.#restedMs += now - this.#restsSince;
  }

  /** How long all rests were that are over. Milliseconds. */
  get restedMs(): number {
    return this.#restedMs;
  }

  get #ownEnd(): number {
    return this.startedAt + this.#pace.timeout * 1_000;
  }

  /** The budget of time runs from the start of the first attempt: from now, where this is the first. */
  get #budgetEnd(): number {
    const { max_duration_s = Infinity, budget_ends_at } = this.#pace;
    return budget_ends_at ?? this.startedAt + max_duration_s * 1_000;
  }

  /** When the task's clocks end the attempt: by its timeout, by its budget of time, or with the whole life. */
  get #end(): number {
    return Math.min(this.#ownEnd, this.#budgetEnd, this.#pace.deadline_at) + this.#grantedMs;
  }

  /** Whether the run ends before the attempt has to, because a queue's consumer can't go on that long. */
  get isSliced(): boolean {
    return this.#end - LAST_WORDS_MS > this.startedAt + LONGEST_RUN_MS;
  }

  /** Whether what ends the attempt is contract.budget.max_duration_s. */
  get isBudgeted(): boolean {
    return this.#budgetEnd < this.#ownEnd && this.#budgetEnd <= this.#pace.deadline_at;
  }

  /** Milliseconds until the attempt has to be over, the time for its last words apart. */
  timeLeftMs(now: number): number {
    return Math.min(this.#end - LAST_WORDS_MS, this.startedAt + LONGEST_RUN_MS) - now;
  }

  /** How long stopped work may be waited for, so that there is time for a last word after it. Milliseconds. */
  stoppingMs(now: number): number {
    return Math.max(0, Math.min(STOPPING_MS, this.#end - LAST_WAY_MS - now));
  }

  /**
   * How long a step may last before its attempt is taken for stalled, less a margin: as much as a quarter of the window
   * where that is short. Milliseconds.
   *
   * @param newsAt when something new was told last
   */
  stepLeftMs(now: number, newsAt: number): number {
    const window = this.#pace.stall_timeout * 1_000;
    return newsAt + window - Math.min(STALL_MARGIN_MS, window / 4) - now;
  }

  /** How long a wait beside something may last before the next look at the commands. Milliseconds. */
  pauseMs(now: number): number {
    const { heartbeat_timeout, progress_interval } = this.#pace;
    const beat = Math.min((heartbeat_timeout * 1_000) / 3, LONGEST_SILENCE_MS);
    const told = progress_interval === undefined ? beat : progress_interval * 1_000;
    return Math.max(1, Math.min(beat, told, this.timeLeftMs(now)));
  }

  /** Whether news are due by the task's interval. @param toldAt when anything was told last */
  isIntervalOver(now: number, toldAt: number): boolean {
    const { progress_interval } = this.#pace;
    return progress_interval !== undefined && now - toldAt >= progress_interval * 1_000;
  }
}
