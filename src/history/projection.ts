import { instant } from "../lib/ports.ts";
import type { TaskEvent, TaskView } from "../protocol/task-view.ts";
import { slim, type Bulk } from "./bulk.ts";
import { causesOf, type Cause } from "./causes.ts";
import { debtsOf, type DebtRecord } from "./debts.ts";
import { lessonsOf, type LessonRecord } from "./lessons.ts";
import type { TaskNews } from "./news.ts";
import { factsOf, type RollupFact } from "./rollup.ts";

/** Consecutive events of one task. */
interface EventRun {
  first_seq: number;
  last_seq: number;
  events: TaskEvent[];
}

/** A run in the columns of `task_log`. */
interface RunRecord extends EventRun {
  tenant: string;
  task_id: string;
}

/** The newest view of one task, in the columns of `task`. */
interface TaskRecord {
  tenant: string;
  task_id: string;
  created_at: string;
  seq: number;
  status: string;
  phase: string;
  task_type: string;
  priority: string;
  agent_id: string | null;
  tags: string[];
  view: TaskView;
  /** Absent where the view has nothing large. */
  bulk?: Bulk;
  /** Absent where nothing went wrong, or the end is not among the news. */
  causes?: Cause[];
  /** The first run, where it may fit the task's own row. */
  run?: EventRun;
  /** Whether the rows of the task go before these are written. */
  is_rebuild: 0 | 1;
  /** Absent where the news do not go back to the submission. */
  body_hash?: string;
}

/** An escalation in the columns of its table; `body` is JSON text. */
interface EscalationRecord {
  tenant: string;
  created_at: string;
  escalation_id: string;
  seq: number;
  state: string;
  body: string;
}

/** What a batch of news writes. */
export interface HistoryRecords {
  tasks: TaskRecord[];
  runs: RunRecord[];
  escalations: EscalationRecord[];
  lessons: LessonRecord[];
  debts: DebtRecord[];
  /** What is counted, where history has not got it yet. */
  facts: RollupFact[];
}

/** Characters of JSON in one run, so that a run of many events stays far below a row's 2 MB. */
const MAX_RUN_LENGTH = 400_000;

/**
 * Characters of events that the task's own row holds at most.
 *
 * A common task stays below; rewriting a longer text for each further event would cost more than a row does.
 */
export const MAX_PREFIX_LENGTH = 65_536;

/** Instants are compared as text, so all of them need one form. */
function utc(at: string): string {
  return instant(Date.parse(at));
}

function runsOf(events: readonly TaskEvent[]): EventRun[] {
  const runs: EventRun[] = [];
  let length = 0;
  for (const event of events) {
    const run = runs.at(-1);
    const size = JSON.stringify(event).length;
    if (run !== undefined && event.seq === run.last_seq + 1 && length + size <= MAX_RUN_LENGTH) {
      run.events.push(event);
      run.last_seq = event.seq;
      length += size;
    } else {
      runs.push({ first_seq: event.seq, last_seq: event.seq, events: [event] });
      length = size;
    }
  }
  return runs;
}

function bySeq(events: readonly TaskEvent[]): TaskEvent[] {
  const unique = new Map(events.map((event) => [event.seq, event]));
  return [...unique.values()].sort((a, b) => a.seq - b.seq);
}

function taskOf(tenant: string, newest: TaskNews, runs: readonly EventRun[]): TaskRecord {
  const { view, bulk } = slim(newest.view);
  const causes = causesOf(runs.flatMap(({ events }) => events));
  const run = runs[0];
  const fits = run !== undefined && JSON.stringify(run.events).length <= MAX_PREFIX_LENGTH;
  return {
    tenant,
    task_id: view.task_id,
    created_at: utc(view.created_at),
    seq: view.seq,
    status: view.status,
    phase: view.phase,
    task_type: view.task_type,
    priority: view.priority,
    agent_id: view.agent_id,
    tags: view.tags,
    view,
    ...(bulk !== null && { bulk }),
    ...(causes.length > 0 && { causes }),
    ...(fits && { run }),
    is_rebuild: newest.isRebuild ? 1 : 0,
  };
}

function recordsOf(newsOfTask: readonly TaskNews[]): Pick<HistoryRecords, "tasks" | "runs"> {
  const newest = newsOfTask.toSorted((a, b) => b.view.seq - a.view.seq)[0];
  if (newest === undefined) return { tasks: [], runs: [] };
  const runs = runsOf(bySeq(newsOfTask.flatMap((news) => news.events)));
  const isRebuild = newsOfTask.some((news) => news.isRebuild);
  const { tenant, view } = newest;
  const body_hash = newsOfTask.find((news) => news.body_hash !== undefined)?.body_hash;
  const task = taskOf(tenant, { ...newest, isRebuild }, runs);
  return {
    tasks: [{ ...task, ...(body_hash !== undefined && { body_hash }) }],
    runs: runs.map((run) => ({ tenant, task_id: view.task_id, ...run })),
  };
}

function escalationsOf(news: readonly TaskNews[]): EscalationRecord[] {
  const newest = new Map<string, EscalationRecord>();
  const told = news.flatMap(({ tenant, view, escalation, earlier = [] }) =>
    [...earlier, ...(escalation === null ? [] : [escalation])].map((one) => ({
      tenant,
      view,
      escalation: one,
    })),
  );
  for (const { tenant, view, escalation } of told) {
    const key = `${tenant}/${escalation.escalation_id}`;
    if ((newest.get(key)?.seq ?? 0) >= view.seq) continue;
    newest.set(key, {
      tenant,
      created_at: utc(escalation.created_at),
      escalation_id: escalation.escalation_id,
      seq: view.seq,
      state: escalation.state,
      body: JSON.stringify(escalation),
    });
  }
  return [...newest.values()];
}

/**
 * The rows that news write, whatever their order and however often each came.
 *
 * The view with the highest seq wins; all news of one task become one record, so that they cost one row.
 */
export function project(news: readonly TaskNews[]): HistoryRecords {
  const byTask = Map.groupBy(news, ({ tenant, view }) => `${tenant}/${view.task_id}`);
  const records = [...byTask.values()].map(recordsOf);
  return {
    tasks: records.flatMap(({ tasks }) => tasks),
    runs: records.flatMap(({ runs }) => runs),
    escalations: escalationsOf(news),
    lessons: lessonsOf(news),
    debts: debtsOf(news),
    facts: factsOf(news),
  };
}
