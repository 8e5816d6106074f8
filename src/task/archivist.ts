import { instant, type Clock } from "../lib/ports.ts";
import {
  ARCHIVE_CHECK_MS,
  archiveDelayMs,
  isArchiveAlarm,
  isOverdue,
  nextArchiveCheckMs,
} from "./alarm-plan.ts";
import type { LoggedEvent, TaskState } from "./machine/state.ts";
import { historyMessageOf } from "./outbox.ts";
import type { TaskPorts } from "./ports.ts";

type ArchivistPorts = Pick<
  TaskPorts,
  "record" | "recordedTo" | "retentionMs" | "forgottenMs" | "log"
>;

function referenceOf({ origin: { tenant, task_id } }: TaskState) {
  return { form: "reference", tenant, task_id } as const;
}

/**
 * Tells history what happens to one task, makes sure that history has all of it when the task has been quiet for a
 * minute and after its end, and says when the task's own object need not keep it any longer.
 *
 * Its fields hold only what asking history again would tell.
 */
export class Archivist {
  readonly #ports: ArchivistPorts;
  readonly #now: Clock;
  #due: number | null = null;
  /** When to ask while the task lives, epoch milliseconds; null when there is nothing to ask. */
  #livingDue: number | null = null;
  /** History has said that it has everything up to here. */
  #recordedTo = 0;

  constructor(ports: ArchivistPorts, now: Clock) {
    this.#ports = ports;
    this.#now = now;
  }

  /** When to ask whether history is complete, epoch milliseconds; null when there is nothing to ask. */
  get due(): number | null {
    return this.#due ?? this.#livingDue;
  }

  /**
   * Plans the question: when the task has been quiet for a while, since a message that was lost may be all that anybody
   * hears of it for days; when it has ended, soon; and once more when its retention is over.
   */
  plan(state: TaskState): void {
    const isKnown = this.#recordedTo >= state.seq;
    this.#livingDue =
      state.ended_at !== null || isKnown ? null : state.updated_at + ARCHIVE_CHECK_MS;
    if (state.ended_at === null) return;
    this.#due ??= state.ended_at + (isKnown ? this.#ports.retentionMs : ARCHIVE_CHECK_MS);
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
    await this.#ports.record({ ...referenceOf(state), after: 0, rebuild: true });
  }

  /** Whether history has all of it. A read of D1 costs a thousandth of the message that it may spare. */
  async ask(state: TaskState): Promise<boolean> {
    const asked = await this.#ask(state);
    return asked !== null && (asked.to ?? 0) >= state.seq;
  }

  /**
   * Whether history knows nothing of it because it was removed, and then forgotten, before its object was emptied: told anew,
   * it would come back and be counted twice.
   */
  #isForgotten({ ended_at, origin: { tenant, task_id } }: TaskState, to: number | null): boolean {
    const { forgottenMs, log } = this.#ports;
    if (to !== 0 || ended_at === null || forgottenMs === null) return false;
    if (ended_at + forgottenMs > this.#now()) return false;
    log("info", "task_outlived_history", { tenant, task_id, ended_at: instant(ended_at) });
    return true;
  }

  /** Up to where history has it, or had it before it forgot it; null when it can't be asked. */
  async #ask(state: TaskState): Promise<{ to: number | null } | null> {
    const { tenant, task_id } = state.origin;
    try {
      const told = await this.#ports.recordedTo(tenant, task_id, instant(state.created_at));
      const to = this.#isForgotten(state, told) ? state.seq : told;
      this.#recordedTo = Math.max(this.#recordedTo, Math.min(to ?? 0, state.seq));
      return { to };
    } catch (cause) {
      this.#ports.log("warning", "history_unreachable", { tenant, task_id, detail: String(cause) });
      return null;
    }
  }

  /**
   * Asks whether history has all of it, and tells what it lacks. A history that can't be asked is told nothing: what is
   * under way to it waits until it is back, and it would have to read the same again for each time that it was asked.
   *
   * What follows the last event that it has is enough, whether a message was lost or is late, and writes nothing if that
   * one comes first. Rows that this does not mend are written anew: at once where they are of another task.
   */
  async #askAndTell(state: TaskState, silent_ms: number): Promise<boolean> {
    const asked = await this.#ask(state);
    if (asked === null) return false;
    const { to } = asked;
    if (to !== null && to >= state.seq) return true;
    if (to === null || isOverdue(silent_ms)) await this.tellAll(state);
    else await this.#ports.record({ ...referenceOf(state), after: to });
    return false;
  }

  /**
   * While the task lives, once it is due: asks, and tells what is missing until history has it. The pauses grow with
   * the silence, as after the end.
   */
  async #checkLiving(state: TaskState): Promise<void> {
    const now = this.#now();
    if (this.#livingDue === null) this.plan(state);
    if (this.#livingDue === null || this.#livingDue > now) return;
    // Set first, so that a question that fails is not asked again any sooner.
    this.#livingDue = now + archiveDelayMs(now - state.updated_at);
    if (await this.#askAndTell(state, now - state.updated_at)) this.#livingDue = null;
  }

  /**
   * After the end, once it is due: asks, and tells what is missing until history has it.
   *
   * True when the retention is over and history has said just now that it has all: the object may be emptied.
   */
  async check(state: TaskState): Promise<boolean> {
    if (state.ended_at === null) {
      await this.#checkLiving(state);
      return false;
    }
    this.plan(state);
    const now = this.#now();
    if (this.#due === null || this.#due > now) return false;
    // Set first, so that a question that fails is not asked again any sooner.
    this.#due = state.ended_at + nextArchiveCheckMs(now - state.ended_at);
    if (!(await this.#askAndTell(state, now - state.ended_at))) return false;
    const over_at = state.ended_at + this.#ports.retentionMs;
    if (over_at > now) this.#due = over_at;
    return over_at <= now;
  }
}
