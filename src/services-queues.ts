import { spread } from "./lib/spread.ts";
import type { HistoryMessage } from "./protocol/queue-messages.ts";

/* The queues that carry news of tasks to history. */

/** What bindings of further queues are called: EVENTS_1, EVENTS_2 … */
const FURTHER = /^EVENTS_[1-9]\d{0,2}$/;

/** Their names: batuta-events, batuta-events-1 … */
const NEWS_QUEUE = /^batuta-events(?:-[1-9]\d{0,2})?$/;

/** Whether a queue carries news of tasks, by its name. */
export function isNewsQueue(name: string): boolean {
  return NEWS_QUEUE.test(name);
}

function isQueue(binding: unknown): binding is Queue<unknown> {
  return typeof binding === "object" && binding !== null && "send" in binding;
}

/** Queues of news that an operator has bound beside EVENTS, by their bindings. */
export function furtherQueues(env: Env): [binding: string, queue: Queue<unknown>][] {
  return Object.entries({ ...env }).flatMap(([name, binding]: [string, unknown]) =>
    FURTHER.test(name) && isQueue(binding) ? [[name, binding]] : [],
  );
}

const known = new WeakMap<Env, Queue<unknown>[]>();

/** All queues of news: EVENTS, and whatever an operator has bound beside it. */
export function newsQueues(env: Env): Queue<unknown>[] {
  const before = known.get(env);
  if (before !== undefined) return before;
  const queues = [env.EVENTS, ...furtherQueues(env).map(([, queue]) => queue)];
  known.set(env, queues);
  return queues;
}

/**
 * The queue of a task's news. Which it is follows from the task and from how many are bound; when that changes, what is
 * under way stays where it is, because nothing relies on the order of messages.
 */
export function newsQueueOf(
  env: Env,
  { tenant, task_id }: Pick<HistoryMessage, "tenant" | "task_id">,
): Queue<unknown> {
  const queues = newsQueues(env);
  return queues[spread(`${tenant}/${task_id}`, queues.length)] ?? env.EVENTS;
}
