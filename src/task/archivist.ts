import type { Clock } from "../lib/ports.ts";
import { ARCHIVE_CHECK_MS, archiveDelayMs } from "./alarm-plan.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { historyMessageOf } from "./outbox.ts";
import type { TaskPorts } from "./ports.ts";

/**
 * Tells history what happens to one task, and makes sure after the end that history has all of it.
 *
 * Its fields hold only what asking history again would tell.
 */
export class Archivist {
  readonly #ports: Pick<TaskPorts, "record" | "isRecorded" | "log">;
  readonly #now: Clock;
  #due: number | null = null;
  /** History has said that it has everything up to here. */
  #recordedTo = 0;

  constructor(ports: Pick<TaskPorts, "record" | "isRecorded" | "log">, now: Clock) {
    this.#ports = ports;
    this.#now = now;
  }

  /** When to ask whether history is complete, epoch milliseconds; null before the end, and once it is. */
  get due(): number | null {
    return this.#due;
  }

  /** Plans the question when the task has ended. */
  plan(state: TaskState): void {
    if (state.ended_at === null || this.#recordedTo >= state.seq) return;
    this.#due ??= state.ended_at + ARCHIVE_CHECK_MS;
  }

  /** Sends events that follow `after`, unless history has said that it has them. */
  async tell(state: TaskState, events: readonly LoggedEvent[], after: number): Promise<void> {
    if (this.#recordedTo >= state.seq) return;
    await this.#ports.record(historyMessageOf(state, events, after));
  }

  /** Has history read the whole task again: by reference, so that a log of any length fits. */
  async tellAll(state: TaskState): Promise<void> {
    const { tenant, task_id } = state.origin;
    await this.#ports.record({ form: "reference", tenant, task_id, after: 0, rebuild: true });
  }

  /** Whether history has all of it. A read of D1 costs a thousandth of the message that it may spare. */
  async ask(state: TaskState): Promise<boolean> {
    const { tenant, task_id } = state.origin;
    const isRecorded = await this.#isRecorded(tenant, task_id, state.seq);
    if (isRecorded) this.#recordedTo = Math.max(this.#recordedTo, state.seq);
    return isRecorded;
  }

  /** A history that cannot be asked has not got it: then it is told again, which changes nothing if it has. */
  async #isRecorded(tenant: string, task_id: string, seq: number): Promise<boolean> {
    try {
      return await this.#ports.isRecorded(tenant, task_id, seq);
    } catch (cause) {
      this.#ports.log("warning", "history_unreachable", { tenant, task_id, detail: String(cause) });
      return false;
    }
  }

  /** After the end, once it is due: asks, and sends everything again until history has it. */
  async check(state: TaskState): Promise<void> {
    this.plan(state);
    const now = this.#now();
    if (state.ended_at === null || this.#due === null || this.#due > now) return;
    // Set first, so that a question that fails is not asked again any sooner.
    this.#due = now + archiveDelayMs(now - state.ended_at);
    if (await this.ask(state)) this.#due = null;
    else await this.tellAll(state);
  }
}
