import {
  DURATION_BOUNDS_S,
  DURATIONS,
  ENDS,
  NOTIFICATIONS,
  STEPS,
  type Amount,
} from "../db/rollup-table.ts";
import type { Escalation, TaskView } from "../protocol/task-view.ts";
import type { TaskNews } from "./news.ts";

/* What news add to the figures of tasks. Whether they still have to is for the store, which sees what is there. */

/** The row that a fact is counted in. */
interface Place {
  tenant: string;
  /** Start of the minute in which it happened, epoch seconds. */
  bucket: number;
  task_type: string;
  /** Empty where nobody has the task. */
  agent_id: string;
}

/**
 * A fact that is counted once: that a task was created, that it has ended, or that it asked. The first two are known by the
 * task's row, the last one by the escalation's.
 */
export interface RollupFact extends Place {
  kind: "created" | "ended" | "asked";
  task_id: string;
  /** Of the view that says that it was created or has ended. */
  seq?: number;
  /** Of what it asked; absent otherwise. */
  escalation_id?: string;
  amounts: Partial<Record<Amount, number>>;
}

/** Scores are counted in millionths, and money in billionths of a dollar, as whole numbers. */
const MILLION = 1_000_000;
const BILLION = 1_000_000_000;

/** As it is counted: whole, not negative, and no more than a number holds exactly. */
function counted(amount: number): number {
  return Math.min(Math.max(0, Math.round(amount)), Number.MAX_SAFE_INTEGER);
}

/** A score 0-1 as it is counted. */
export function countedScore(score: number): number {
  return counted(score * MILLION);
}

/** Start of the minute that holds an instant, epoch seconds. */
export function minuteOf(at: string): number {
  const seconds = Math.floor(Date.parse(at) / 1_000);
  return seconds - (seconds % STEPS.minute);
}

/** Which duration column counts a duration; a bound belongs to its own, as Prometheus's `le` says. */
function durationColumn(ms: number): Amount {
  const found = DURATION_BOUNDS_S.findIndex((bound) => ms <= bound * 1_000);
  return DURATIONS[found] ?? "duration_13";
}

/** What the end of a task adds. Nothing of its last view changes any more, so this is the same whoever tells it. */
function amountsOfEnd(view: TaskView, ended_at: string, tally: TaskNews["tally"]) {
  const ended = ENDS.find((status) => status === view.status);
  const duration_ms = counted(Date.parse(ended_at) - Date.parse(view.created_at));
  const quality = view.quality_assessment?.overall_score;
  const notifications = NOTIFICATIONS.map((type) => [type, tally?.notifications[type] ?? 0]);
  const amounts: Partial<Record<Amount, number>> = {
    ...(ended !== undefined && { [ended]: 1 }),
    duration_ms,
    [durationColumn(duration_ms)]: 1,
    cost_nano_usd: counted(view.usage.cost_usd * BILLION),
    tokens: counted(view.usage.tokens),
    ...(quality !== undefined && { quality_sum: countedScore(quality), quality_count: 1 }),
    retries: Math.max(0, view.attempt - 1),
    ...Object.fromEntries(notifications),
  };
  return Object.fromEntries(Object.entries(amounts).filter(([, amount]) => amount > 0));
}

function factsOfTask(news: readonly TaskNews[]): RollupFact[] {
  const newest = news.toSorted((a, b) => b.view.seq - a.view.seq)[0];
  if (newest === undefined) return [];
  const { tenant, view, tally } = newest;
  const { task_id, seq, phase, created_at, ended_at } = view;
  const head = { tenant, task_id, seq };
  // A later attempt may have another type, so what came first is counted under the first, whichever news come first.
  const task_type = tally?.task_type ?? view.task_type;
  const created: RollupFact = {
    ...head,
    kind: "created",
    bucket: minuteOf(created_at),
    task_type,
    agent_id: "",
    amounts: { created: 1 },
  };
  if (phase !== "ended" || ended_at === null) return [created];
  return [
    created,
    {
      ...head,
      kind: "ended",
      bucket: minuteOf(ended_at),
      task_type: view.task_type,
      agent_id: view.agent_id ?? "",
      amounts: amountsOfEnd(view, ended_at, tally),
    },
  ];
}

function factsAsked(news: readonly TaskNews[]): RollupFact[] {
  const facts = news.flatMap(({ tenant, view, tally, escalation, earlier = [] }) => {
    const all: Escalation[] = escalation === null ? earlier : [...earlier, escalation];
    return all.map(({ escalation_id, created_at }): RollupFact => ({
      kind: "asked",
      tenant,
      task_id: view.task_id,
      escalation_id,
      bucket: minuteOf(created_at),
      task_type: tally?.task_type ?? view.task_type,
      agent_id: "",
      amounts: { escalations: 1 },
    }));
  });
  const unique = new Map(facts.map((fact) => [`${fact.tenant}/${fact.escalation_id}`, fact]));
  return [...unique].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, fact]) => fact);
}

/** The facts that news tell, each once, whatever their order and however often each came. */
export function factsOf(news: readonly TaskNews[]): RollupFact[] {
  const byTask = Map.groupBy(news, ({ tenant, view }) => `${tenant}/${view.task_id}`);
  return [...[...byTask.values()].flatMap(factsOfTask), ...factsAsked(news)];
}
