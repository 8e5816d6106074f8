import type { News } from "../../src/task/ports.ts";

/** Whoever gets the news of tasks: knows what came before something that it should have come after. */
export class Listener {
  readonly #heardTo = new Map<string, number>();
  /** News that came too early, in words. */
  readonly early: string[] = [];

  /** Takes news; a repetition is none. */
  hear({ task: { task_id }, events }: News): void {
    for (const { seq } of events) {
      const heardTo = this.#heardTo.get(task_id) ?? 0;
      if (seq > heardTo + 1) this.early.push(`${task_id} seq ${seq} after ${heardTo}`);
      this.#heardTo.set(task_id, Math.max(heardTo, seq));
    }
  }
}
