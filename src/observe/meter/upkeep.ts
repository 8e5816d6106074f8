import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import type { MeterBook, MeterMinute } from "./meter-book.ts";
import type { Fold } from "./tally.ts";

/** How long figures are in memory only. Milliseconds. */
const STORED_EVERY_MS = 10_000;

/** After a failure of D1 it is tried again. Milliseconds. */
const AGAIN_MS = 60_000;

const HOUR_S = 3_600;
const DAY_S = 86_400;

/** Minutes stay minutes for three hours after theirs, hours stay hours for 90 days after theirs. */
const MINUTES_FOR_S = 3 * HOUR_S;
const HOURS_FOR_S = 90 * DAY_S;

/** Portions of one folding; what is left is for the next alarm. */
const MAX_PORTIONS = 10;

/** What the upkeep of a tenant's figures needs. */
export interface MeterUpkeepParts {
  book: MeterBook;
  now: Clock;
  log: Log;
  store: (book: string) => void;
  writeMinutes: (minutes: readonly MeterMinute[]) => Promise<void>;
  /** Whether that was all there is to fold. */
  fold: (fold: Fold) => Promise<boolean>;
}

/** The start of the hour or day that holds an instant less a while; all in seconds but `now`. */
function startOf(length: number, now: number, ago: number): number {
  const at = Math.floor(now / 1_000) - ago;
  return at - (at % length);
}

/** What a MeterObject does by its alarm: stores, gives minutes to D1, and folds those that are old. */
export class MeterUpkeep {
  readonly #parts: MeterUpkeepParts;
  /** When D1 failed; null: it has not, the last time that it was asked. */
  #failedAt: number | null = null;
  /** When the first change was made that is not stored yet; null: none that it was told of. */
  #changedAt: number | null = null;
  /** Up to where minutes are known to be folded, epoch seconds. */
  #foldedTo: number | null = null;

  constructor(parts: MeterUpkeepParts) {
    this.#parts = parts;
  }

  /** Stores what is not stored yet, and says whether there was something. Never waits. */
  save(): boolean {
    const { book, store } = this.#parts;
    this.#changedAt = null;
    if (!book.isChanged) return false;
    store(book.stored());
    return true;
  }

  /** Takes note that figures came. Stores them if the alarm is late, which waits for a D1 that hangs. */
  noted(): void {
    const { now } = this.#parts;
    this.#changedAt ??= now();
    if (now() - this.#changedAt > STORED_EVERY_MS) this.save();
  }

  /** Makes a tenant with figures known to D1, by whose rows it is found when all tenants are asked for. Never throws. */
  async introduce(): Promise<void> {
    const { book, now, writeMinutes, log } = this.#parts;
    if (!book.isUnknown || !book.hasMinutes) return;
    const present = book.present(now());
    try {
      await writeMinutes([present]);
      book.given([present]);
    } catch (error) {
      log("warning", "meter_not_introduced", { error: String(error) });
    }
  }

  /** Does what is due. Never throws: what D1 has not taken is for the next time. */
  async tend(): Promise<void> {
    // Before D1 is waited for. That it has minutes may be stored later: given again they are replaced.
    const isSaved = this.save();
    if (this.#isAskable) await this.#giveAndFold();
    if (!isSaved) this.save();
  }

  /** When it is to tend again, epoch milliseconds; null: not until something is told. */
  next(): number | null {
    const { book, now } = this.#parts;
    if (book.isChanged) return (this.#changedAt ?? now()) + STORED_EVERY_MS;
    if (this.#failedAt !== null) return this.#failedAt + AGAIN_MS;
    if (book.hasMinutes) return Math.max(book.turnsAt, now());
    if (book.newestMinute !== null) {
      const hour = book.newestMinute - (book.newestMinute % HOUR_S);
      return (hour + HOUR_S + MINUTES_FOR_S) * 1_000;
    }
    if (book.newestHour === null || book.newestHour === 0) return null;
    const day = book.newestHour - (book.newestHour % DAY_S);
    return (day + DAY_S + HOURS_FOR_S) * 1_000;
  }

  /** Whether D1 has not failed just now. */
  get #isAskable(): boolean {
    return this.#failedAt === null || this.#parts.now() >= this.#failedAt + AGAIN_MS;
  }

  async #giveAndFold(): Promise<void> {
    const { now, log } = this.#parts;
    try {
      await this.#giveMinutes();
      await this.#foldOld();
      this.#failedAt = null;
    } catch (error) {
      this.#failedAt = now();
      log("error", "meter_upkeep_failed", { error: String(error) });
    }
  }

  async #giveMinutes(): Promise<void> {
    const { book, now, writeMinutes } = this.#parts;
    const minutes = book.due(now());
    if (minutes.length === 0) return;
    await writeMinutes(minutes);
    book.given(minutes);
  }

  /** Once an hour, and at every start. */
  async #foldOld(): Promise<void> {
    const { book, now } = this.#parts;
    const minutesBefore = startOf(HOUR_S, now(), MINUTES_FOR_S);
    if (book.isUnknown || this.#foldedTo === minutesBefore) return;
    const hoursBefore = startOf(DAY_S, now(), HOURS_FOR_S);
    const isDone = await this.#foldAll({ from: 60, to: HOUR_S, before: minutesBefore });
    if (isDone) book.foldedMinutes(minutesBefore);
    const isAllDone =
      isDone && (await this.#foldAll({ from: HOUR_S, to: DAY_S, before: hoursBefore }));
    if (!isAllDone) return;
    book.foldedHours(hoursBefore);
    this.#foldedTo = minutesBefore;
  }

  async #foldAll(fold: Fold): Promise<boolean> {
    for (let portion = 0; portion < MAX_PORTIONS; portion += 1) {
      // One after the other: each says whether another one is needed.
      // oxlint-disable-next-line no-await-in-loop
      if (await this.#parts.fold(fold)) return true;
    }
    return false;
  }
}
