import type { Outcome } from "../../src/protocol/kin.ts";
import type { Subtasks } from "../../src/protocol/task-execution.ts";
import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";
import { usageOf } from "../../src/task/machine/state.ts";
import { latestEnd, must } from "./laws.ts";

/*
 * The laws of trees, written down apart from the code under test. They look at the tasks themselves, not at what
 * their parents have heard of them.
 */

/** The tasks of a world by their ids; undefined for one that is not there. */
export type Find = (task_id: string) => TaskState | undefined;

const RESOURCES = ["cost_usd", "tokens", "attempts", "children"] as const;
export type Amounts = Record<(typeof RESOURCES)[number], number>;

const NOTHING: Amounts = { cost_usd: 0, tokens: 0, attempts: 0, children: 0 };

const plus = (one: Amounts, other: Amounts): Amounts => ({
  cost_usd: one.cost_usd + other.cost_usd,
  tokens: one.tokens + other.tokens,
  attempts: one.attempts + other.attempts,
  children: one.children + other.children,
});

/** Sums of money differ by this much in binary. */
const ROUNDING = 1e-6;

/** What a task has used itself. */
function ownUse(state: TaskState): Amounts {
  const { cost_usd, tokens } = usageOf(state);
  return { cost_usd, tokens, attempts: state.attempt - state.uncounted_attempts, children: 0 };
}

const childrenOf = ({ family }: TaskState) => family?.children ?? [];

/** What a task and all below it have used, each counted once. */
function treeUse(state: TaskState, find: Find): Amounts {
  return childrenOf(state).reduce((sum, { task_id }) => {
    const child = find(task_id);
    const below = child === undefined ? NOTHING : treeUse(child, find);
    return plus(sum, { ...below, children: below.children + 1 });
  }, ownUse(state));
}

function limitOf(state: TaskState, resource: keyof Amounts): number | null {
  const own = state.task.contract?.budget?.[`max_${resource}`] ?? null;
  const allowed = state.origin.lineage?.allowance[resource] ?? null;
  if (own === null && allowed === null) return null;
  return Math.min(own ?? Infinity, allowed ?? Infinity);
}

/** What was granted to a task and all below it. */
function grantedIn(state: TaskState, find: Find): Amounts {
  const { cost_usd, tokens } = state.granted;
  return childrenOf(state).reduce(
    (sum, { task_id }) => {
      const child = find(task_id);
      return child === undefined ? sum : plus(sum, grantedIn(child, find));
    },
    { ...NOTHING, cost_usd, tokens },
  );
}

/** What the last message of each executor of a tree brought: one of them may come when nothing is left. */
function lastWords(state: TaskState, find: Find, lastOf: (task_id: string) => Amounts): Amounts {
  return childrenOf(state).reduce((sum, { task_id }) => {
    const child = find(task_id);
    return child === undefined ? sum : plus(sum, lastWords(child, find, lastOf));
  }, lastOf(state.origin.task_id));
}

/** Own use, what ended children have used, and what is set aside for open ones or used by them, if that is more. */
function committed(state: TaskState, find: Find): Amounts {
  return childrenOf(state).reduce((sum, { task_id, reserved }) => {
    const child = find(task_id);
    const used = child === undefined ? NOTHING : treeUse(child, find);
    if (child?.phase === "ended") return plus(sum, { ...used, children: used.children + 1 });
    return plus(sum, {
      cost_usd: Math.max(reserved.cost_usd ?? 0, used.cost_usd),
      tokens: Math.max(reserved.tokens ?? 0, used.tokens),
      attempts: Math.max(reserved.attempts ?? 0, used.attempts),
      children: Math.max(reserved.children ?? 0, used.children) + 1,
    });
  }, ownUse(state));
}

/**
 * The budget law: at every task, what is used and set aside is within limit and grants, but for what is in flight.
 *
 * In flight is one message of each executor in the tree: the one that came when less was left than it brought. A
 * grant to a descendant is not its ancestors', so it counts for them too.
 */
export function checkBudget(
  state: TaskState,
  find: Find,
  lastOf: (task_id: string) => Amounts,
): void {
  const uses = committed(state, find);
  const granted = grantedIn(state, find);
  const inFlight = lastWords(state, find, lastOf);
  for (const resource of RESOURCES) {
    const limit = limitOf(state, resource);
    if (limit === null) continue;
    const most = limit + granted[resource] + inFlight[resource] + ROUNDING;
    const { task_id } = state.origin;
    must(uses[resource] <= most, `budget: ${task_id} ${resource} ${uses[resource]} of ${most}`);
  }
}

/** What a parent sets aside for new children was free before, by what it had heard. */
export function checkAdoption(before: TaskState, after: TaskState): void {
  const known = new Set(childrenOf(before).map(({ task_id }) => task_id));
  for (const resource of RESOURCES) {
    const limit = limitOf(before, resource);
    if (limit === null) continue;
    const one = resource === "children" ? 1 : 0;
    const granted = resource === "cost_usd" || resource === "tokens" ? before.granted[resource] : 0;
    const taken = childrenOf(before).reduce((sum, { report, reserved }) => {
      const used = report?.used[resource] ?? 0;
      const aside = Math.max(used, reserved[resource] ?? 0);
      return sum + one + (report?.is_ended === true ? used : aside);
    }, ownUse(before)[resource]);
    const given = childrenOf(after)
      .filter(({ task_id }) => !known.has(task_id))
      .reduce((sum, { reserved }) => sum + one + (reserved[resource] ?? 0), 0);
    const isWithin = given === 0 || given <= limit + granted - taken + ROUNDING;
    const { task_id } = before.origin;
    must(isWithin, `a child gets what is free: ${task_id} gives ${given} of ${resource}`);
  }
}

/** Whether somebody has said that the task may start although a prerequisite failed. */
function isExcused(log: readonly LoggedEvent[]): boolean {
  let isAsked = false;
  for (const { type, data } of log) {
    const cause: unknown = JSON.parse(JSON.stringify(data["metadata"] ?? {})).cause;
    if (type === "task_escalated") isAsked = cause === "dependency_failed";
    const { state, decision } = data;
    const isYes = state === "resolved" && (decision === "resume" || decision === "change");
    if (type === "escalation_resolved" && isAsked && isYes) return true;
  }
  return false;
}

/** What one task of a line of ancestors asks for before anything of it may start. */
export interface Waiting {
  task: TaskState["task"];
  log: () => readonly LoggedEvent[];
}

/** Every prerequisite of a task that starts, and of its ancestors, is over; with success where that is asked for. */
export function checkPrerequisites(
  started: string,
  line: readonly Waiting[],
  endOf: (task_id: string) => Pick<Outcome, "is_ended" | "end_reason"> | null,
): void {
  // Who was told that it may start although a prerequisite failed need not heed its ancestors' either.
  let mayStart = false;
  for (const { task, log } of line) {
    const { dependencies = [], on_failed_dependency = "fail" } = task.parameters ?? {};
    mayStart ||= on_failed_dependency === "block" && isExcused(log());
    for (const dependency of dependencies) {
      const end = endOf(dependency);
      const where = `${started} below ${task.task_id} after ${dependency}`;
      must(end?.is_ended === true, `nothing starts before its prerequisites end: ${where}`);
      const mayFail = mayStart || on_failed_dependency === "continue";
      must(mayFail || end.end_reason === "success", `prerequisites succeed first: ${where}`);
    }
  }
}

function neededOf({ join, n, expected, on_failure }: Subtasks): number {
  if (join === "any") return 1;
  if (join === "n_of") return n ?? expected;
  return on_failure === "continue" ? 1 : expected;
}

/** What the children mean at an instant: that they suffice, that they never will, or neither yet. */
function joinAt(state: TaskState, find: Find, at: number): "success" | "failure" | "open" {
  const { subtasks } = state.task;
  if (subtasks === undefined) return "open";
  const adopted = childrenOf(state).filter(({ adopted_at }) => adopted_at <= at);
  const ends = adopted.flatMap(({ task_id }) => {
    const child = find(task_id);
    return child !== undefined && (child.ended_at ?? Infinity) <= at ? [child.verdict?.reason] : [];
  });
  const succeeded = ends.filter((reason) => reason === "success").length;
  const total = Math.max(subtasks.expected, adopted.length);
  const isPatient = subtasks.join === "all" && subtasks.on_failure === "continue";
  const needed = neededOf(subtasks);
  if (succeeded >= needed && (!isPatient || ends.length >= total)) return "success";
  return total - (ends.length - succeeded) < needed ? "failure" : "open";
}

/** Verdicts by which the joined result was judged: the children did suffice. */
const JUDGED: ReadonlySet<string | undefined> = new Set(["aggregation_failed", "result_rejected"]);

/** A parent that its children decided was decided rightly, by how they stood at that instant. */
export function checkJoin(state: TaskState, find: Find): void {
  const { verdict, task, origin } = state;
  if (task.subtasks === undefined || verdict === null) return;
  const type = verdict.error?.type;
  const isSuccess = verdict.reason === "success" || JUDGED.has(type);
  if (!isSuccess && type !== "subtasks_failed") return;
  const join = joinAt(state, find, verdict.at);
  const said = isSuccess ? "success" : "failure";
  must(join === said, `joins are right: ${origin.task_id} said ${said}, its children ${join}`);
}

function isBeingCancelled({ commands }: TaskState): boolean {
  const isOpen = (state: string): boolean => state === "requested" || state === "acknowledged";
  return commands.some(({ command, state }) => command === "cancel" && isOpen(state));
}

/** A minute is enough for a certain outcome to be decided, whatever gets lost. Milliseconds. */
const DECISION_MS = 60_000;

/** A parent that only waits for its children is decided when they are. */
export function checkDecided(state: TaskState, find: Find, now: number): void {
  const isAtWork = state.phase === "executing" || state.phase === "waiting_dependencies";
  const isHeld = (state.origin.gates ?? []).length > 0 && state.prerequisites === null;
  if (!isAtWork || isHeld || isBeingCancelled(state) || now - state.updated_at < DECISION_MS)
    return;
  const join = joinAt(state, find, now - DECISION_MS);
  must(join === "open", `a certain outcome is decided: ${state.origin.task_id} waits for ${join}`);
}

/** A tree ends leaf first: nothing below an ended task is open. */
export function checkLeafFirst(state: TaskState, find: Find): void {
  if (state.ended_at === null) return;
  for (const { task_id } of childrenOf(state)) {
    const child = find(task_id);
    const isOver = child === undefined || (child.ended_at ?? Infinity) <= state.ended_at;
    must(isOver, `leaf first: ${state.origin.task_id} ended before ${task_id}`);
  }
}

/** When it is over: nobody is an orphan, nothing is set aside, and the use has rolled up exactly once. */
export function checkRest(state: TaskState, find: Find): void {
  const { task_id } = state.origin;
  for (const { task_id: child_id, report } of childrenOf(state)) {
    const child = find(child_id);
    must(child !== undefined, `no orphans: ${child_id} of ${task_id} does not exist`);
    must(report?.is_ended === true, `no reservation stays: ${child_id} of ${task_id}`);
    const used = treeUse(child, find);
    for (const resource of RESOURCES) {
      const isOnce = Math.abs(report.used[resource] - used[resource]) < ROUNDING;
      const what = `${resource} ${report.used[resource]} of ${used[resource]}`;
      must(isOnce, `use rolls up exactly once: ${child_id} of ${task_id}: ${what}`);
    }
  }
}

/** A task that is not among its parent's children learns of it within a minute, and is stopped. */
export function checkBelongs(state: TaskState, parent: TaskState | undefined, now: number): void {
  const { lineage, task_id } = state.origin;
  if (lineage === undefined || state.verdict !== null) return;
  if (isBeingCancelled(state) || now - state.created_at < DECISION_MS) return;
  const isListed =
    parent !== undefined && childrenOf(parent).some((child) => child.task_id === task_id);
  must(isListed, `no orphan goes on: ${task_id} of ${lineage.parent_task_id}`);
}

const GRACE_MS = 30_000;

/** By when a task of a tree must be over: with 30 s for each generation, by its own limits and its ancestors'. */
export function latestEndInTree(line: readonly TaskState[], height: number): number {
  const [self] = line;
  const ends = line.map((state) => latestEnd(state) + (self?.granted.duration_s ?? 0) * 1_000);
  return Math.min(...ends) + GRACE_MS * (height + 1);
}
