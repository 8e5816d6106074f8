import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";

/** What is promised was not kept: the run stops here. */
class BrokenLaw extends Error {}

/** Refuses a run in which something is not as promised. */
export function must(holds: boolean, law: string): asserts holds {
  if (!holds) throw new BrokenLaw(law);
}

const LETS_GO: ReadonlySet<string> = new Set([
  "lease_expired",
  "task_declined",
  "retry_scheduled",
  "task_escalated",
  "verdict",
]);

/** What an executor may say without holding the task: that it hands it out to others, and its last word. */
const ANYONE: ReadonlySet<string> = new Set(["verdict", "task_submitted"]);

/** Who may write after an event: the one it was assigned to, until the attempt is over. */
function holderAfter(event: LoggedEvent, holder: string | null): string | null {
  if (event.type === "task_assigned") return String(event.data["agent_id"]);
  return LETS_GO.has(event.type) ? null : holder;
}

/**
 * What the log of a task must show, whatever happened: a dense order, one holder at a time, nothing of an
 * executor that does not hold the task, one verdict, one end, nothing after it.
 */
export function checkLog(task_id: string, log: readonly LoggedEvent[]): void {
  let holder: string | null = null;
  let verdicts = 0;
  let ends = 0;
  for (const [index, event] of log.entries()) {
    const where = `${task_id} seq ${event.seq} ${event.type}`;
    must(event.seq === index + 1, `seq is dense: ${where} is at place ${index + 1}`);
    must(ends === 0, `nothing follows the end: ${where}`);
    if (event.type === "task_assigned") {
      must(holder === null, `one live token at most: ${where} while ${holder} holds it`);
    } else if (event.actor.kind === "executor" && !ANYONE.has(event.type)) {
      const isLastWord = event.type === "command_acknowledged" && holder === null;
      must(holder === event.actor.id || isLastWord, `only the holder writes: ${where}`);
    }
    holder = holderAfter(event, holder);
    if (event.type === "verdict") verdicts += 1;
    if (event.type === "agent_end_task") ends += 1;
  }
  must(verdicts <= 1 && ends <= 1, `${task_id} has one verdict and one end`);
}

const STEP_MS = 300_000;
const RANK: Readonly<Record<string, number>> = { critical: 0, high: 1, normal: 2, low: 3 };

/** The place of a task in the order that priority and age give, written down apart from the code under test. */
export function turnOf(item: { priority: string; ready_at: number }): number {
  return item.ready_at + (RANK[item.priority] ?? 0) * STEP_MS;
}

/** By when a task must be over, epoch milliseconds: its whole life, its executor's grace and the end phases. */
export function latestEnd(state: TaskState): number {
  const total_s = (state.task.total_timeout ?? 604_800) + state.granted.duration_s;
  const grace_s = 30;
  const phases_s = 3 * 30;
  const lateness_s = 15;
  return state.created_at + (total_s + grace_s + phases_s + lateness_s) * 1_000;
}
