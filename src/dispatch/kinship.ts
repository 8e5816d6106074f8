import { inTurn } from "../lib/in-turn.ts";
import type { Result } from "../lib/result.ts";
import type { ChildOffer, KinCall, Ties } from "../protocol/kin.ts";
import type { Fault, Refusal } from "../protocol/refusal.ts";
import type { TaskExecution } from "../protocol/task-execution.ts";
import type { Gate } from "../task/machine/state.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Asks something of a task's object; the answer is JSON text. */
export type AskKin = (tenant: string, task_id: string, call: KinCall) => Answer<string>;

/** What finding out about relations needs. */
export interface KinshipParts {
  askKin: AskKin;
  /** Whether history knows a task whose object is empty. */
  isArchived: (tenant: string, task_id: string) => Promise<boolean>;
}

/** Objects that are asked at the same time. */
const MOST_CALLS = 6;

/** How many tasks a search for a circle looks at, all prerequisites of a submission together; what is more entangled is bound by its total timeouts. */
const MOST_VISITED = 500;

/** Generations above a task: no tree is deeper (protocol.md §3, max_depth). */
const MOST_ANCESTORS = 25;

/** The ties of a task, or null when its object knows none. */
export async function tiesOf(
  parts: KinshipParts,
  tenant: string,
  task_id: string,
): Promise<Ties | null> {
  const found = await parts.askKin(tenant, task_id, { call: "ties", token: null });
  if (!found.ok) return null;
  const ties: Ties = JSON.parse(found.value);
  return ties;
}

/** Whether there is such a task, in its object or in history. */
async function isThere(parts: KinshipParts, tenant: string, task_id: string): Promise<boolean> {
  const isLive = (await tiesOf(parts, tenant, task_id)) !== null;
  return isLive || parts.isArchived(tenant, task_id);
}

/** A task that is to become a child. */
export interface NewChild {
  task: TaskExecution;
  task_id: string;
}

/** What a parent must know before it can adopt this task. */
export function offerOf(task: TaskExecution, task_id: string): ChildOffer {
  const budget = task.contract?.budget;
  return {
    task_id,
    weight: task.weight ?? 1,
    max_retries: task.execution_options.retry_policy.max_retries,
    max_cost_usd: budget?.max_cost_usd,
    max_tokens: budget?.max_tokens,
    max_attempts: budget?.max_attempts,
    max_children: budget?.max_children,
    max_depth: budget?.max_depth,
  };
}

const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)];

/** The tasks that a request names as what went before; objects in their place are the results themselves. */
function previousTasks(task: TaskExecution): string[] {
  const named = task.context?.previous_tasks ?? [];
  return unique(named.filter((previous) => typeof previous === "string"));
}

/** The gates of a task that waits for these: by success, unless a failure is no obstacle to it. */
export function gatesFor(
  task: TaskExecution,
  { inferred, others }: { inferred: readonly string[]; others: readonly Gate[] },
): Gate[] {
  const needs = task.parameters?.on_failed_dependency === "continue" ? "end" : "success";
  const explicit = unique(task.parameters?.dependencies ?? []);
  const all: Gate[] = [
    ...explicit.map((task_id): Gate => ({ kind: "task", task_id, needs })),
    ...inferred.map((task_id): Gate => ({ kind: "task", task_id, needs: "end" })),
    ...others,
  ];
  const keyOf = (gate: Gate): string => (gate.kind === "batch" ? gate.batch_id : gate.task_id);
  const isSame = (one: Gate, other: Gate): boolean =>
    one.kind === other.kind && keyOf(one) === keyOf(other);
  const isStrict = (gate: Gate): boolean => gate.kind === "task" && gate.needs === "success";
  // The strictest wins: what a parent waits for does not become less because a child would be content with less.
  return all
    .filter((gate, index) => all.findIndex((other) => isSame(gate, other)) === index)
    .map((gate) => all.find((other) => isSame(gate, other) && isStrict(other)) ?? gate);
}

function dependencyFaults(
  task: TaskExecution,
  wrong: readonly string[],
  code: "dependency_not_found" | "dependency_cycle",
  detailOf: (task_id: string) => string,
): Refusal | null {
  const dependencies = task.parameters?.dependencies ?? [];
  const errors = dependencies.flatMap((task_id, index): Fault[] =>
    wrong.includes(task_id)
      ? [{ pointer: `/parameters/dependencies/${index}`, code, detail: detailOf(task_id) }]
      : [],
  );
  if (errors.length === 0) return null;
  const detail =
    code === "dependency_cycle"
      ? "A prerequisite waits for this task, so that neither could ever start."
      : "Submit the prerequisites first.";
  return { code, detail, errors };
}

/** Whether whoever asks may know of a task. */
type MayName = ((task_id: string) => Promise<boolean>) | undefined;

/**
 * Prerequisites that do not exist, as a refusal.
 *
 * @param known tasks that come in together with this one
 * @param mayName tells of tasks that exist for whoever asks; absent when all do
 */
export async function missingFault(
  parts: KinshipParts,
  tenant: string,
  { task, known, mayName }: { task: TaskExecution; known: readonly string[]; mayName?: MayName },
): Promise<Refusal | null> {
  const asked = unique(task.parameters?.dependencies ?? []).filter((id) => !known.includes(id));
  const found = await inTurn(
    asked,
    MOST_CALLS,
    async (task_id) =>
      (mayName === undefined || (await mayName(task_id))) &&
      (await isThere(parts, tenant, task_id)),
  );
  const missing = asked.filter((_, index) => found[index] !== true);
  return dependencyFaults(
    task,
    missing,
    "dependency_not_found",
    (task_id) => `there is no task ${task_id}`,
  );
}

/** A search for circles: what it asks it asks once, and no more than it may. */
interface Search {
  ties: (task_id: string) => Promise<Ties | null>;
}

/** A search of one submission. What lies beyond its bound counts as waiting for nobody. */
function newSearch(parts: KinshipParts, tenant: string): Search {
  const known = new Map<string, Promise<Ties | null>>();
  return {
    ties(task_id) {
      const found = known.get(task_id);
      if (found !== undefined) return found;
      if (known.size >= MOST_VISITED) return Promise.resolve(null);
      const asked = tiesOf(parts, tenant, task_id);
      known.set(task_id, asked);
      return asked;
    },
  };
}

async function ancestorsOf(search: Search, parent: string): Promise<string[]> {
  const ancestors: string[] = [];
  let next: string | null = parent;
  while (next !== null && ancestors.length < MOST_ANCESTORS) {
    ancestors.push(next);
    next = (await search.ties(next))?.parent_task_id ?? null;
  }
  return ancestors;
}

/** Which of these tasks wait, however indirectly, for one of the targets. */
async function waitingFor(
  search: Search,
  { from, targets }: { from: readonly string[]; targets: readonly string[] },
): Promise<string[]> {
  const culprits: string[] = [];
  /** Tasks from which no target can be reached. */
  const isClear = new Set<string>();
  for (const start of from) {
    const seen = new Set([start]);
    let isCulprit = false;
    // A set grows while it is walked: what is added is visited too.
    for (const task_id of seen) {
      isCulprit = targets.includes(task_id);
      if (isCulprit) break;
      if (isClear.has(task_id)) continue;
      const ties = await search.ties(task_id);
      if (ties === null || ties.is_ended) continue;
      for (const further of ties.waits_for) seen.add(further);
    }
    if (isCulprit) culprits.push(start);
    else for (const task_id of seen) isClear.add(task_id);
  }
  return culprits;
}

/**
 * Which tasks that this one would wait for wait themselves for one of its ancestors.
 *
 * Prerequisites exist before the task that names them and are never changed, so that a new task closes a circle
 * only as a child: its ancestors wait for it from the moment that it is adopted.
 */
async function circular(
  parts: KinshipParts,
  tenant: string,
  task: TaskExecution,
  waits: readonly string[],
): Promise<string[]> {
  const { parent_task_id } = task;
  if (parent_task_id === undefined || waits.length === 0) return [];
  const search = newSearch(parts, tenant);
  const targets = await ancestorsOf(search, parent_task_id);
  return waitingFor(search, { from: unique(waits), targets });
}

/** A circle that explicit prerequisites would close, as a refusal. */
export async function circleFault(
  parts: KinshipParts,
  tenant: string,
  { task, task_id }: { task: TaskExecution; task_id: string | null },
): Promise<Refusal | null> {
  const dependencies = task.parameters?.dependencies ?? [];
  const itself = dependencies.filter((dependency) => dependency === task_id);
  const wrong = [...itself, ...(await circular(parts, tenant, task, dependencies))];
  return dependencyFaults(task, wrong, "dependency_cycle", (dependency) =>
    dependency === task_id
      ? "a task cannot depend on itself"
      : `task ${dependency} is an ancestor of this task, or waits for one`,
  );
}

/** Tasks of its context that a task waits for without saying so: those that exist, and do not wait for it. */
export async function inferredFrom(
  parts: KinshipParts,
  tenant: string,
  { task, mayName }: { task: TaskExecution; mayName?: MayName },
): Promise<string[]> {
  const all = previousTasks(task);
  const may = await inTurn(all, MOST_CALLS, async (id) => mayName === undefined || mayName(id));
  const named = all.filter((_, index) => may[index] === true);
  const exist = await inTurn(named, MOST_CALLS, (task_id) => isThere(parts, tenant, task_id));
  const known = named.filter((_, index) => exist[index] === true);
  const waiting = await circular(parts, tenant, task, known);
  return known.filter((task_id) => !waiting.includes(task_id));
}
