import * as z from "zod";

import { tallySchema, type TellCall } from "./meter-door.ts";
import { BoundedTally, keyOverTime, sumOf, type Tally } from "./tally.ts";

/** Sources of which is known what they told last. One that tells again after so many others have come is new. */
const MAX_SOURCES = 500;

/** Minutes that wait for D1; what is older is put together. */
const MAX_WAITING = 60;

/** Characters of what is stored: a value of an object holds 2 MB (facts/platform.md §4). */
const MAX_STORED_LENGTH = 1_500_000;

const minuteSchema = z.strictObject({
  /** Start of the minute in epoch seconds. */
  bucket: z.int(),
  tally: tallySchema,
});
/** What was counted in a minute. */
export type MeterMinute = z.infer<typeof minuteSchema>;

/** What of a book is stored. */
export const storedBookSchema = z.strictObject({
  totals: tallySchema,
  /** What each source told last, the one that told last at the end. */
  sources: z.array(z.tuple([z.string(), z.int()])),
  minute: minuteSchema,
  /** Minutes that are over and not in D1 yet, oldest first. */
  waiting: z.array(minuteSchema),
  /** The newest minute that D1 was given, and the newest hour that minutes were folded into; epoch seconds. */
  newestMinute: z.int().nullable(),
  newestHour: z.int().nullable(),
});
export type StoredBook = z.infer<typeof storedBookSchema>;

const emptyBook = (): StoredBook => ({
  totals: {},
  sources: [],
  minute: { bucket: 0, tally: {} },
  waiting: [],
  newestMinute: null,
  newestHour: null,
});

/** The minute of an instant: epoch milliseconds to epoch seconds. */
function minuteOf(now: number): number {
  return Math.floor(now / 60_000) * 60;
}

/** Minutes together, under the first of them. */
function together(minutes: readonly MeterMinute[]): MeterMinute[] {
  const [first] = minutes;
  if (first === undefined) return [];
  return [{ bucket: first.bucket, tally: sumOf(minutes.map(({ tally }) => tally)) }];
}

/**
 * The figures of one tenant: totals since its first, and those of the present minute, by when they were told; of routes
 * and methods the totals alone know.
 *
 * What was told twice counts once. Whoever keeps it stores it; `isChanged` says whether there is something to store.
 */
export class MeterBook {
  readonly #totals: BoundedTally;
  readonly #sources: Map<string, number>;
  #minute: { bucket: number; tally: BoundedTally };
  #waiting: MeterMinute[];
  #newestMinute: number | null;
  #newestHour: number | null;
  #isChanged = false;

  constructor(stored: StoredBook | null) {
    const { totals, sources, minute, waiting, newestMinute, newestHour } = stored ?? emptyBook();
    this.#totals = new BoundedTally(totals);
    this.#sources = new Map(sources);
    this.#minute = { bucket: minute.bucket, tally: new BoundedTally(minute.tally) };
    this.#waiting = waiting;
    this.#newestMinute = newestMinute;
    this.#newestHour = newestHour;
  }

  get totals(): Tally {
    return this.#totals.figures;
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** Whether something is yet to reach D1. */
  get hasMinutes(): boolean {
    return this.#waiting.length > 0 || !this.#minute.tally.isEmpty;
  }

  /** When the present minute is over, epoch milliseconds; at once while others wait. */
  get turnsAt(): number {
    return this.#waiting.length > 0 ? 0 : (this.#minute.bucket + 60) * 1_000;
  }

  get newestMinute(): number | null {
    return this.#newestMinute;
  }

  get newestHour(): number | null {
    return this.#newestHour;
  }

  /** Whether D1 was never told of this tenant. */
  get isUnknown(): boolean {
    return this.#newestMinute === null && this.#newestHour === null;
  }

  /** Takes in what a source tells. `now` is epoch milliseconds. */
  add({ source, number, tally }: TellCall, now: number): void {
    if ((this.#sources.get(source) ?? 0) >= number) return;
    this.#sources.delete(source);
    this.#sources.set(source, number);
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > MAX_SOURCES && oldest !== undefined) this.#sources.delete(oldest);
    this.#turn(now);
    this.#totals.addAll(tally);
    for (const [key, figures] of Object.entries(tally)) {
      this.#minute.tally.add(keyOverTime(key), figures);
    }
    this.#isChanged = true;
  }

  /** The minutes that D1 is to be given. */
  due(now: number): readonly MeterMinute[] {
    this.#turn(now);
    return [...this.#waiting];
  }

  /** The present minute as it stands: given to D1 early, so that it knows the tenant. */
  present(now: number): MeterMinute {
    this.#turn(now);
    return { bucket: this.#minute.bucket, tally: { ...this.#minute.tally.figures } };
  }

  /** D1 has these minutes. */
  given(minutes: readonly MeterMinute[]): void {
    this.#waiting = this.#waiting.filter((minute) => !minutes.includes(minute));
    this.#newestMinute = Math.max(this.#newestMinute ?? 0, ...minutes.map(({ bucket }) => bucket));
    this.#isChanged = true;
  }

  /** No minute is left in D1 before this instant, epoch seconds. */
  foldedMinutes(before: number): void {
    if (this.#newestMinute === null || this.#newestMinute >= before) return;
    this.#newestHour = Math.floor(this.#newestMinute / 3_600) * 3_600;
    this.#newestMinute = null;
    this.#isChanged = true;
  }

  /** No hour is left in D1 before this instant, epoch seconds. */
  foldedHours(before: number): void {
    // The tenant stays known by its days, which are kept for ever; zero stands for long ago.
    if (this.#newestHour === null || this.#newestHour === 0 || this.#newestHour >= before) return;
    this.#newestHour = 0;
    this.#isChanged = true;
  }

  /** What is to be stored, as JSON; from then on nothing has changed. */
  stored(): string {
    const { bucket, tally } = this.#minute;
    const book: StoredBook = {
      totals: this.#totals.figures,
      sources: [...this.#sources],
      minute: { bucket, tally: tally.figures },
      waiting: this.#waiting,
      newestMinute: this.#newestMinute,
      newestHour: this.#newestHour,
    };
    this.#isChanged = false;
    const text = JSON.stringify(book);
    if (text.length <= MAX_STORED_LENGTH || this.#waiting.length < 2) return text;
    this.#waiting = together(this.#waiting);
    return JSON.stringify({ ...book, waiting: this.#waiting });
  }

  /** Puts the minute among those that are over once another one has begun. */
  #turn(now: number): void {
    const bucket = minuteOf(now);
    if (bucket <= this.#minute.bucket) return;
    if (!this.#minute.tally.isEmpty) {
      this.#waiting.push({
        bucket: this.#minute.bucket,
        tally: this.#minute.tally.figures,
      });
      this.#isChanged = true;
      const surplus = this.#waiting.length - MAX_WAITING + 1;
      if (surplus > 1) {
        this.#waiting = [
          ...together(this.#waiting.slice(0, surplus)),
          ...this.#waiting.slice(surplus),
        ];
      }
    }
    this.#minute = { bucket, tally: new BoundedTally() };
  }
}
