import type { TaskEvent, TaskView } from "../protocol/task-view.ts";
import { debtIdsOf } from "./debts.ts";

/* What is read of a task before it is removed. */

/** A task that was read completely. */
export interface Reading {
  view: TaskView;
  /** Empty where no archive is to hold them. */
  events: TaskEvent[];
  escalation_ids: string[];
  debt_ids: string[];
}

/**
 * Reads a log to its end: all events from 1 to the view's seq. Null where one of them is missing: history has not got it
 * yet, or somebody removes the task at this moment.
 */
export async function readingOf(
  view: TaskView,
  log: Iterable<readonly TaskEvent[]> | AsyncIterable<readonly TaskEvent[]>,
  isArchived: boolean,
): Promise<Reading | null> {
  const reading: Reading = { view, events: [], escalation_ids: [], debt_ids: [] };
  let to = 0;
  for await (const portion of log) {
    for (const event of portion) {
      if (event.seq !== to + 1) return null;
      to = event.seq;
      const id = event.data["escalation_id"];
      if (typeof id === "string" && event.type === "task_escalated") {
        reading.escalation_ids.push(id);
      }
      reading.debt_ids.push(...debtIdsOf(view.task_id, event));
    }
    if (isArchived) reading.events.push(...portion);
  }
  return to === view.seq ? reading : null;
}
