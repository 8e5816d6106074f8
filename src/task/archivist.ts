import { instant, type Clock } from "../lib/ports.ts";
import { ARCHIVE_CHECK_MS, isArchiveAlarm, nextArchiveCheckMs } from "./alarm-plan.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { historyMessageOf } from "./outbox.ts";
import type { TaskPorts } from "./ports.ts";

type ArchivistPorts = Pick<TaskPorts, "record" | "isRecorded" | "retentionMs" | "log">;

/**
 * Tells history what happens to one task, makes sure after the end that history has all of it, and says when the
 * task's own object need not keep it any longer.
 *
 * Its fields hold only what asking history again would tell.
 */
export class Archivist {
  readonly #ports: ArchivistPorts;
  readonly #now: Clock;
  #due: number | null = null;
  /** History has said that it has everything up to here. */
  #recordedTo = 0;

  constructor(ports: ArchivistPorts, now: Clock) {
    this.#ports = ports;
    this.#now = now;
  }

  /** When to ask whether history is complete, epoch milliseconds; null before the end. */
  get due(): number | null {
    return this.#due;
  }

  /** Plans the question when the task has ended: soon, and once more when its retention is over. */
  plan(state: TaskState): void {
    if (state.ended_at === null) return;
    const isAnswered = this.#recordedTo >= state.seq;
    this.#due ??= state.ended_at + (isAnswered ? this.#ports.retentionMs : ARCHIVE_CHECK_MS);
  }

  /**
   * Whether this alarm only asks history. Such a one is set when nothing else is owed any more: what happened has left
   * the house then, although no memory of that has lasted so long.
   *
   * @param alarm_at for when the alarm was set that has fired; undefined when none has, or nobody knows
   */
  isLastAlarm(state: TaskState, alarm_at: number | undefined): boolean {
    const { ended_at } = state;
    return ended_at !== null && alarm_at !== undefined && isArchiveAlarm(alarm_at - ended_at);
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
    const isRecorded = await this.#isRecorded(state);
    if (isRecorded) this.#recordedTo = Math.max(this.#recordedTo, state.seq);
    return isRecorded;
  }

  /** A history that cannot be asked has not got it: then it is told again, which changes nothing if it has. */
  async #isRecorded(state: TaskState): Promise<boolean> {
    const { tenant, task_id } = state.origin;
    try {
      return await this.#ports.isRecorded(tenant, task_id, state.seq, instant(state.created_at));
    } catch (cause) {
      this.#ports.log("warning", "history_unreachable", { tenant, task_id, detail: String(cause) });
      return false;
    }
  }

  /**
   * After the end, once it is due: asks, and sends everything again until history has it.
   *
   * True when the retention is over and history has said just now that it has all: the object may be emptied.
   */
  async check(state: TaskState): Promise<boolean> {
    this.plan(state);
    const now = this.#now();
    if (state.ended_at === null || this.#due === null || this.#due > now) return false;
    // Set first, so that a question that fails is not asked again any sooner.
    this.#due = state.ended_at + nextArchiveCheckMs(now - state.ended_at);
    if (!(await this.ask(state))) {
      await this.tellAll(state);
      return false;
    }
    const over_at = state.ended_at + this.#ports.retentionMs;
    if (over_at > now) this.#due = over_at;
    return over_at <= now;
  }
}
