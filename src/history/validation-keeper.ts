import type { Log } from "../lib/log.ts";
import type { Clock } from "../lib/ports.ts";
import type { ValidationRecord } from "../protocol/validation-record.ts";

/** Records wait so long for others: one write for all of them. Milliseconds. */
const WAIT_MS = 1_000;

/** After so long whoever was to write them is taken for lost: an invocation may be cut off. Milliseconds. */
const LOST_MS = 5_000;

/** Records that may wait; beyond them the newest is dropped. */
const MOST_WAITING = 500;

/** What keeping needs. */
interface KeeperPorts {
  now: Clock;
  pause: (ms: number) => Promise<void>;
  write: (records: readonly ValidationRecord[]) => Promise<void>;
  log: Log;
}

/** Collects the records of an isolate and writes them together, away from any answer. */
export class ValidationKeeper {
  readonly #ports: KeeperPorts;
  #waiting: ValidationRecord[] = [];
  #dropped = 0;
  #promisedAt: number | null = null;

  constructor(ports: KeeperPorts) {
    this.#ports = ports;
  }

  /** Keeps a record for the next flush. */
  push(record: ValidationRecord): void {
    if (this.#waiting.length >= MOST_WAITING) this.#dropped += 1;
    else this.#waiting.push(record);
  }

  /** Keeps a record and sees to it that it is written; `keepAlive` gets the promise of that, when none is made yet. */
  add(record: ValidationRecord, keepAlive: (work: Promise<unknown>) => void): void {
    this.push(record);
    const now = this.#ports.now();
    if (this.#promisedAt !== null && now - this.#promisedAt < LOST_MS) return;
    this.#promisedAt = now;
    keepAlive(this.#later());
  }

  /** Writes what waits. Never fails: what can't be written is dropped, and the log says how much that was. */
  async flush(): Promise<void> {
    const [records, dropped] = [this.#waiting, this.#dropped];
    [this.#waiting, this.#dropped] = [[], 0];
    if (dropped > 0) this.#ports.log("warning", "validations_dropped", { count: dropped });
    if (records.length === 0) return;
    try {
      await this.#ports.write(records);
    } catch (error) {
      const facts = { count: records.length, error: String(error) };
      this.#ports.log("warning", "validations_dropped", facts);
    }
  }

  async #later(): Promise<void> {
    await this.#ports.pause(WAIT_MS);
    this.#promisedAt = null;
    await this.flush();
  }
}
