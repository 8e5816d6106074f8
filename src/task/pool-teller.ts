import type { Clock } from "../lib/ports.ts";
import { reminderDelayMs } from "./alarm-plan.ts";
import type { TaskState } from "./machine/state.ts";
import { announcementOf } from "./outbox.ts";
import type { PoolErrand } from "./outbox.ts";
import type { TaskPorts } from "./ports.ts";

/** Tells a task's pool what it wishes, and reminds it. Its fields hold only what telling again would replace. */
export class PoolTeller {
  readonly #ports: TaskPorts;
  readonly #now: Clock;
  readonly #repeatAt: () => number;
  /** What the pool could not be told. */
  #owed: PoolErrand | null = null;
  #due: number | null = null;

  /** @param repeatAt when to repeat what failed, epoch milliseconds */
  constructor(ports: TaskPorts, now: Clock, repeatAt: () => number) {
    this.#ports = ports;
    this.#now = now;
    this.#repeatAt = repeatAt;
  }

  /** When to tell it again, epoch milliseconds; null when it knows the latest wish. */
  get due(): number | null {
    return this.#due;
  }

  /** After a commit. An alarm for what is not wanted any more would be a row on the bill. */
  plan(state: TaskState): void {
    if (state.phase !== "queued" && this.#owed === null) this.#due = null;
  }

  /** Tells what a change of the task means for the pool. Never throws: what failed is owed. */
  async tell(errand: PoolErrand | null, state: TaskState): Promise<void> {
    if (errand === null) return;
    const { tenant, task_id, trace_id } = state.origin;
    this.#owed = null;
    this.#due = null;
    try {
      if (errand.kind === "release") {
        const { kind: _, ...freed } = errand;
        await this.#ports.release(tenant, state.task.pool, { task_id, ...freed });
      } else {
        await this.#ports.announce(tenant, state.task.pool, announcementOf(state));
        const now = this.#now();
        this.#due = now + reminderDelayMs(now - (state.queued_at ?? now));
      }
    } catch (cause) {
      const detail = String(cause);
      const ids = { tenant, task_id, correlation_id: trace_id };
      this.#ports.log("warning", "pool_unreachable", { ...ids, detail });
      this.#owed = errand;
      this.#due = this.#repeatAt();
    }
  }

  /** Repeats what is due: a queued task announces itself, any other pays what it owes. */
  async remind(state: TaskState): Promise<void> {
    if (this.#due !== null && this.#due > this.#now()) return;
    // An announcement that is owed says nothing of a task that is queued no more.
    const owed = this.#owed?.kind === "release" ? this.#owed : null;
    this.#due = null;
    await this.tell(state.phase === "queued" ? { kind: "announce" } : owed, state);
  }
}
