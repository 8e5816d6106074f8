import type { Log } from "../../lib/log.ts";
import type { Clock } from "../../lib/ports.ts";
import { prioritySchema } from "../../protocol/enums.ts";
import type { EndpointPorts } from "../level-report.ts";
import { hopSeconds } from "../retry-policy.ts";
import type { EndpointStore } from "./endpoint-store.ts";
import type { NextTurn } from "./gate.ts";

/** How far the alarm stays behind the queue's message, and how soon it comes back after an error. */
export const WATCHDOG_MS = 60_000;

/**
 * How far the alarm stays behind what is sent at once.
 *
 * It rings before an object that has nothing to do is evicted, ten seconds after its last work (facts/platform.md §4): the
 * object still knows then that everything has left. One that wakes up for it would have to look through all that it keeps.
 */
export const BEHIND_MS = 8_000;

/** What a waker is given. */
interface WakerPorts {
  now: Clock;
  log: Log;
  getAlarm: () => Promise<number | null>;
  setAlarm: (at: number) => Promise<void>;
  endpoint: Pick<EndpointStore, "facts">;
  /** Puts a message on the queue of this priority that wakes the object when its delay is over. */
  sendWake: EndpointPorts["sendWake"];
}

/** Sees to it that an object wakes in time: by its alarm, and where a retry is due by a queue before it. */
export class Waker {
  readonly #ports: WakerPorts;
  #armedAt: number | null = null;
  #wakeAt: number | null = null;

  constructor(ports: WakerPorts) {
    this.#ports = ports;
  }

  /** The alarm has fired: none is set. */
  fired(): void {
    this.#armedAt = null;
  }

  /** Learns what alarm is set, after an eviction. Whether one is. */
  async recall(): Promise<boolean> {
    const armedAt = await this.#ports.getAlarm();
    this.#armedAt = armedAt;
    return armedAt !== null;
  }

  /** Sets the alarm if that makes it earlier: each setting is a row written, a late one is put right as it fires. */
  async arm(at: number): Promise<void> {
    const isOverdue = this.#armedAt !== null && this.#armedAt < this.#ports.now() - WATCHDOG_MS;
    if (this.#armedAt !== null && this.#armedAt <= at && !isOverdue) return;
    this.#armedAt = at;
    await this.#ports.setAlarm(at);
  }

  /** Sets the alarm behind what begins now, unless one comes as soon: a steady flow shares it. */
  async guard(): Promise<void> {
    await this.arm(this.#ports.now() + BEHIND_MS);
  }

  /**
   * Has the object wake for its next turn.
   *
   * A retry is woken for by the queue, with the alarm behind it that makes up for a lost message. Anything else
   * that waits (a batch, the rate, a probe) waits for seconds, where the alarm alone costs less.
   */
  async plan({ at, isRetry, rank }: NextTurn): Promise<void> {
    if (at <= this.#ports.now()) return this.arm(this.#ports.now());
    if (!isRetry) return this.arm(at);
    await this.arm(at + WATCHDOG_MS);
    await this.askWake(at, rank);
  }

  /** Has the queue wake the object at `due`, unless a message is under way that comes no later. */
  async askWake(due: number, rank: number): Promise<void> {
    const now = this.#ports.now();
    const facts = this.#ports.endpoint.facts();
    if (facts === null) return;
    if (this.#wakeAt !== null && this.#wakeAt > now && this.#wakeAt <= due) return;
    this.#wakeAt = due;
    try {
      const { tenant, webhook_id, shard } = facts.config;
      const priority = prioritySchema.options[rank] ?? "normal";
      const message = { tenant, webhook_id, shard, due };
      await this.#ports.sendWake(message, priority, hopSeconds(due, now));
    } catch (error) {
      // The alarm behind it comes a minute later.
      this.#ports.log("error", "retry_message_failed", { error: String(error) });
    }
  }
}
