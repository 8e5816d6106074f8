import type { Amounts, ChildReport } from "../../protocol/kin.ts";
import type { Outcome } from "../../protocol/kin.ts";
import type { TaskExecution } from "../../protocol/task-execution.ts";

/** How a prerequisite ended, as it reaches the task that waited for it. */
export type Prerequisite = Pick<
  Outcome,
  "task_id" | "task_type" | "status" | "completion_status" | "end_reason" | "result"
> & {
  /** What a failed one left of its work. */
  partial_results?: unknown;
  /** Why the result is not there. */
  note?: string | undefined;
};

/** What is set aside for one child and all below it; null where nobody has set a limit. */
export type Reservation = { [Resource in keyof Amounts]: number | null };

/** A child as its parent knows it. Its result stays in storage. Instants are epoch milliseconds. */
export interface Child {
  task_id: string;
  /** Its share in the parent's progress. */
  weight: number;
  reserved: Reservation;
  adopted_at: number;
  /** Null until it has reported. */
  report: Omit<ChildReport, "result" | "quality"> | null;
}

/** The children of a task, in the order in which they were adopted. */
export interface Family {
  children: Child[];
}

/** Children that are not over. */
export function openChildren(family: Family | null): Child[] {
  return (family?.children ?? []).filter(({ report }) => report?.is_ended !== true);
}

/** Generations of open tasks below a task; 0 when there are none. */
export function heightOf(family: Family | null): number {
  return Math.max(0, ...openChildren(family).map(({ report }) => 1 + (report?.height ?? 0)));
}

/** Whether an open task below is in its end phases, which end by themselves. */
export function hasEnding(family: Family | null): boolean {
  return openChildren(family).some(({ report }) => report?.is_ending === true);
}

/** Whether the task's work is its children's: no executor ever gets it. */
export function isComposite(task: Pick<TaskExecution, "subtasks">): boolean {
  return task.subtasks !== undefined;
}

/** Percent that one child is done. An ended one counts as done, however it ended. */
export function percentageOf({ report }: Child): number {
  return report?.is_ended === true ? 100 : (report?.percentage ?? 0);
}

/**
 * The weighted mean of the children's progress, in percent.
 *
 * @param expected children that will be there; those that are not yet count with weight 1 and nothing done
 */
export function weightedProgress(family: Family | null, expected = 0): number {
  const children = family?.children ?? [];
  const missing = Math.max(0, expected - children.length);
  const weight = children.reduce((sum, child) => sum + child.weight, missing);
  const done = children.reduce((sum, child) => sum + child.weight * percentageOf(child), 0);
  return weight === 0 ? 0 : Math.min(100, done / weight);
}

const NOTHING: Amounts = { cost_usd: 0, tokens: 0, attempts: 0, children: 0 };

/** What all children and those below them have used, each counted once: a report replaces the one before. */
export function usedBelow(family: Family | null): Amounts {
  return (family?.children ?? []).reduce(
    (sum, { report }) => ({
      cost_usd: sum.cost_usd + (report?.used.cost_usd ?? 0),
      tokens: sum.tokens + (report?.used.tokens ?? 0),
      attempts: sum.attempts + (report?.used.attempts ?? 0),
      children: sum.children + 1 + (report?.used.children ?? 0),
    }),
    NOTHING,
  );
}

/**
 * The family after a report, or the same one when the report says nothing new.
 *
 * A late report changes nothing, and what was used never falls: it rolls up exactly once.
 */
export function withReport(family: Family, told: ChildReport): Family {
  const { result: _result, quality: _quality, ...report } = told;
  const known = family.children.find(({ task_id }) => task_id === report.task_id);
  if (known === undefined || !isNews(known, report)) return family;
  const before = known.report?.used ?? NOTHING;
  // The exceptions: an attempt that was declined, or given up to ask, and a child that never came to be.
  const isLater = report.seq > (known.report?.seq ?? 0);
  const { attempts, children } = isLater ? NOTHING : before;
  const used = {
    cost_usd: Math.max(before.cost_usd, report.used.cost_usd),
    tokens: Math.max(before.tokens, report.used.tokens),
    attempts: Math.max(attempts, report.used.attempts),
    children: Math.max(children, report.used.children),
  };
  return {
    children: family.children.map((child) =>
      child === known ? { ...known, report: { ...report, used } } : child,
    ),
  };
}

function isNews({ report: known }: Child, report: NonNullable<Child["report"]>): boolean {
  if (known === null) return true;
  // What is used below an ended child may still become more, until its own children are over.
  if (known.is_ended) return report.is_ended && usesMore(known.used, report.used);
  if (report.seq !== known.seq) return report.seq > known.seq;
  // Between two events of its own a child tells of heartbeats, and of its children.
  const hasMoved =
    report.percentage !== known.percentage ||
    report.height !== known.height ||
    (report.is_ending ?? false) !== (known.is_ending ?? false);
  return hasMoved || usesMore(known.used, report.used);
}

function usesMore(before: Amounts, now: Amounts): boolean {
  return (
    now.cost_usd > before.cost_usd ||
    now.tokens > before.tokens ||
    now.attempts > before.attempts ||
    now.children > before.children
  );
}
