import { inTurn } from "../lib/in-turn.ts";
import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import type { Place } from "../protocol/keyset.ts";
import type { TaskEvent, TaskView } from "../protocol/task-view.ts";
import { ArchiveFile, type Slice } from "./archive-file.ts";
import { outcomeOfView, type OldTask, type Removal } from "./removed.ts";

/** Rows of one page, pages of one run, and tenants that a run looks at: a run stays within what it may call. */
const PAGE = 100;
const MAX_PAGES = 20;
const MAX_TENANTS = 50;

/** Bytes of D1 that one file holds, unless a single task has more. */
const FILE_BYTES = 8_000_000;

/** A task with more stays in D1: its file has to fit a Worker's 128 MB (facts/platform.md §4) more than once. */
const MAX_TASK_BYTES = 24_000_000;

/** Reads of D1 at the same time: the platform lets six connections of one invocation be open. */
const MOST_READS = 6;

/** Where a run goes on: a tenant, and a place in the order of its tasks. */
interface RetentionCursor {
  tenant: string;
  place: Place | null;
}

/** What the removal of old tasks needs from outside. */
export interface RetentionPorts {
  now: Clock;
  log: Log;
  /** How long after its end history keeps a task, milliseconds. */
  retentionMs: number;
  readCursor: () => Promise<RetentionCursor | null>;
  writeCursor: (cursor: RetentionCursor | null) => Promise<void>;
  /** Tenants that have tasks, from a name on, in order. */
  tenants: (from: string, limit: number) => Promise<string[]>;
  /** Tasks that were created before an instant, oldest first. */
  oldTasks: (
    tenant: string,
    page: { before: string; place: Place | null; limit: number },
  ) => Promise<{ tasks: OldTask[]; next: Place | null }>;
  view: (tenant: string, task_id: string) => Promise<TaskView | null>;
  events: (tenant: string, task_id: string) => AsyncIterable<readonly TaskEvent[]>;
  /** Writes a file to the archive, and gives its key; null where there is no archive. */
  archive:
    | ((
        tenant: string,
        file: { day: string; task_ids: string[]; bytes: Uint8Array },
      ) => Promise<string>)
    | null;
  /** Removes tasks from D1, all or none. */
  remove: (tenant: string, removals: readonly Removal[]) => Promise<void>;
}

/** Tasks that are over for long enough, in groups that one file holds. */
function groupsOf(tasks: readonly OldTask[]): OldTask[][] {
  const groups: OldTask[][] = [];
  let together = Infinity;
  for (const task of tasks) {
    if (together + task.bytes > FILE_BYTES) {
      groups.push([]);
      together = 0;
    }
    groups.at(-1)?.push(task);
    together += task.bytes;
  }
  return groups;
}

/** What is read of a task before it goes. */
interface Reading {
  view: TaskView;
  events: TaskEvent[];
  escalation_ids: string[];
}

async function read(
  ports: RetentionPorts,
  tenant: string,
  { task_id }: OldTask,
): Promise<Reading | null> {
  const view = await ports.view(tenant, task_id);
  if (view === null) return null;
  const events: TaskEvent[] = [];
  const escalation_ids: string[] = [];
  for await (const portion of ports.events(tenant, task_id)) {
    for (const event of portion) {
      const id = event.data["escalation_id"];
      if (typeof id === "string" && event.type === "task_escalated") escalation_ids.push(id);
    }
    if (ports.archive !== null) events.push(...portion);
  }
  return { view, events, escalation_ids };
}

/** Removes one group: into the archive first, where there is one. A repetition writes the same file again. */
async function removeGroup(
  ports: RetentionPorts,
  tenant: string,
  group: readonly OldTask[],
): Promise<number> {
  const found = await inTurn(group, MOST_READS, (task) => read(ports, tenant, task));
  const readings = found.filter((reading) => reading !== null);
  const file = new ArchiveFile();
  const slices = readings.map(({ view, events }): Slice | null =>
    ports.archive === null ? null : file.add(view, events),
  );
  const task_ids = readings.map(({ view }) => view.task_id);
  const day = (group[0]?.created_at ?? "").slice(0, 10);
  const key = await ports.archive?.(tenant, { day, task_ids, bytes: file.bytes() });
  const removed_at = instant(ports.now());
  const removals = readings.map(({ view, escalation_ids }, index): Removal => {
    const slice = slices[index] ?? null;
    return {
      task_id: view.task_id,
      ended_at: view.ended_at ?? view.updated_at,
      removed_at,
      outcome: outcomeOfView(view),
      place: slice === null || key === undefined ? null : { key, ...slice },
      escalation_ids,
    };
  });
  await ports.remove(tenant, removals);
  return removals.length;
}

/** A group that fails comes again in a later round; the others must not wait for it. */
async function tryGroup(
  ports: RetentionPorts,
  tenant: string,
  group: readonly OldTask[],
): Promise<number> {
  try {
    return await removeGroup(ports, tenant, group);
  } catch (error) {
    const task_id = group[0]?.task_id;
    ports.log("error", "tasks_not_removed", { tenant, task_id, error: String(error) });
    return 0;
  }
}

/** One run: what it has done, and what it may still do. */
interface Run {
  pages: number;
  removed: number;
  kept: string[];
}

/** Which tasks of a page go; too large ones, which only an archive has to hold, are noted. */
function goingOf(ports: RetentionPorts, tasks: readonly OldTask[], before: string, run: Run) {
  const over = tasks.filter(
    ({ phase, ended_at }) => phase === "ended" && ended_at !== null && ended_at < before,
  );
  if (ports.archive === null) return over;
  const isLarge = ({ bytes }: OldTask): boolean => bytes > MAX_TASK_BYTES;
  run.kept.push(...over.filter(isLarge).map(({ task_id }) => task_id));
  return over.filter((task) => !isLarge(task));
}

/** Sweeps one tenant; where to go on with it when the run may do no more, else null. */
async function sweepTenant(
  ports: RetentionPorts,
  { tenant, place }: RetentionCursor,
  run: Run,
): Promise<RetentionCursor | null> {
  const before = instant(ports.now() - ports.retentionMs);
  let next: Place | null = place;
  do {
    const page = await ports.oldTasks(tenant, { before, place: next, limit: PAGE });
    run.pages += 1;
    for (const group of groupsOf(goingOf(ports, page.tasks, before, run))) {
      run.removed += await tryGroup(ports, tenant, group);
    }
    next = page.next;
  } while (next !== null && run.pages < MAX_PAGES);
  return next === null ? null : { tenant, place: next };
}

async function sweepFrom(
  ports: RetentionPorts,
  start: RetentionCursor | null,
  run: Run,
): Promise<RetentionCursor | null> {
  const tenants = await ports.tenants(start?.tenant ?? "", MAX_TENANTS);
  for (const tenant of tenants) {
    if (run.pages >= MAX_PAGES) return { tenant, place: null };
    const place = tenant === start?.tenant ? start.place : null;
    const rest = await sweepTenant(ports, { tenant, place }, run);
    if (rest !== null) return rest;
  }
  const last = tenants.at(-1);
  if (tenants.length < MAX_TENANTS || last === undefined) return null;
  // The first name behind it: no tenant's name holds this character.
  return { tenant: `${last}\u{1}`, place: null };
}

/**
 * Takes tasks out of D1 whose retention is over: into the archive where one is bound, for good where none is.
 *
 * Nothing is removed before the archive has confirmed that it has it; what a failure cuts off between the two is done
 * again by a later run; at worst a file stays that no row names. One run removes 2,000 at most; the next goes on where it stopped.
 */
export async function removeOldTasks(ports: RetentionPorts): Promise<void> {
  const start = await ports.readCursor();
  const run: Run = { pages: 0, removed: 0, kept: [] };
  const rest = await sweepFrom(ports, start, run);
  if (start !== null || rest !== null) await ports.writeCursor(rest);
  if (run.removed > 0) ports.log("info", "tasks_removed", { count: run.removed });
  if (run.kept.length > 0) {
    ports.log("warning", "tasks_too_large_to_archive", {
      count: run.kept.length,
      first: run.kept[0] ?? null,
    });
  }
}
