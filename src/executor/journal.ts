import * as z from "zod";

import type { JsonValue } from "./skills/skill.ts";

/**
 * Bytes of JSON that all entries may take. The journal goes with each write of the attempt's checkpoint, into a row of
 * at most 2 MB (facts/platform.md §4) beside everything else that is known of the task.
 */
export const MOST_JOURNALED_BYTES = 200_000;

/** Money and tokens that were used. */
export interface Used {
  cost_usd: number;
  tokens: number;
}

const jsonValueSchema: z.ZodType<JsonValue> = z.json();

const checkpointSchema = z.object({
  /** The form of the rest; a checkpoint of another form is another executor's. */
  journal: z.literal(1),
  /** The question that the entries belong to: a patched task is another one. */
  question: z.string(),
  entries: z.record(z.string(), jsonValueSchema),
  told: z.int().min(0),
  spent: z.object({ cost_usd: z.number().min(0), tokens: z.int().min(0) }),
});
type Checkpoint = z.infer<typeof checkpointSchema>;

const NOTHING_USED: Used = { cost_usd: 0, tokens: 0 };

function bytesOf(name: string, value: JsonValue): number {
  return new TextEncoder().encode(JSON.stringify({ [name]: value })).length;
}

function sizeOf(entries: Record<string, JsonValue>): number {
  return Object.entries(entries).reduce((sum, entry) => sum + bytesOf(...entry), 0);
}

/**
 * What an attempt has done, so that the next one need not do it again.
 *
 * It lives in the checkpoint of the task, which a heartbeat writes. What does not fit is not kept and will be done
 * again: a journal that made the checkpoint too large to write would lose everything.
 */
export class Journal {
  readonly #question: string;
  readonly #earlier: Used;
  #entries: Record<string, JsonValue>;
  #bytes: number;
  #told: number;
  #isChanged = false;

  /**
   * @param checkpoint as it came with the task; whatever is not a journal counts as none
   * @param question of the task as it is now: what was done for another one is of no use
   */
  constructor(checkpoint: unknown, question: string) {
    const left = checkpointSchema.safeParse(checkpoint).data;
    const known = left?.question === question ? left : null;
    this.#question = question;
    this.#earlier = left?.spent ?? NOTHING_USED;
    this.#told = known?.told ?? 0;
    this.#entries = { ...known?.entries };
    this.#bytes = sizeOf(this.#entries);
  }

  /** What the attempts before this one had used when they last wrote. */
  get earlier(): Used {
    return this.#earlier;
  }

  /** Steps of the executor's own skill that the orchestrator has heard of. */
  get told(): number {
    return this.#told;
  }

  /** Whether something is worth writing since the last snapshot. */
  get isChanged(): boolean {
    return this.#isChanged;
  }

  /** The value of an entry; undefined when there is none. */
  read(name: string): JsonValue | undefined {
    return Object.hasOwn(this.#entries, name) ? this.#entries[name] : undefined;
  }

  /** Keeps a value under a name, in the place of the former one. False when it does not fit. */
  keep(name: string, value: JsonValue): boolean {
    const bytes = bytesOf(name, value);
    const former = this.read(name);
    const others = this.#bytes - (former === undefined ? 0 : bytesOf(name, former));
    if (others + bytes > MOST_JOURNALED_BYTES) return false;
    this.#entries[name] = value;
    this.#bytes = others + bytes;
    this.#isChanged = true;
    return true;
  }

  /** Drops the entries whose names begin so. */
  forget(prefix: string): void {
    const kept = Object.entries(this.#entries).filter(([name]) => !name.startsWith(prefix));
    this.#entries = Object.fromEntries(kept);
    this.#bytes = sizeOf(this.#entries);
    this.#isChanged = true;
  }

  /** Notes that one more step has been told of. */
  tell(steps: number): void {
    this.#isChanged ||= steps > this.#told;
    this.#told = Math.max(this.#told, steps);
  }

  /** The checkpoint to write. @param used what the present attempt has used */
  snapshot(used: Used): Checkpoint {
    this.#isChanged = false;
    return {
      journal: 1,
      question: this.#question,
      entries: { ...this.#entries },
      told: this.#told,
      spent: {
        cost_usd: this.#earlier.cost_usd + used.cost_usd,
        tokens: this.#earlier.tokens + used.tokens,
      },
    };
  }
}
