import { instant } from "../lib/ports.ts";
import type { Place } from "../protocol/keyset.ts";
import { FILE_BYTES, groupsOf, removeGroup, type RemovalPorts } from "./removal.ts";
import type { OldTask } from "./removed.ts";

/**
 * Rows of one page, pages of one run, and tenants that a run looks at: a run stays within what it may call, and 288 runs
 * of a day remove more than the million tasks a day that an installation is made for.
 */
const PAGE = 250;
const MAX_PAGES = 20;
const MAX_TENANTS = 50;

/**
 * Groups of one run. One takes a dozen statements at most, and a few more where a task is larger than 4 MB; an invocation
 * has 1,000 (facts/platform.md §4), of which other sweeps need theirs.
 */
const MAX_GROUPS = 25;

/** Pages of one tenant before the others have their turn. */
const MAX_PAGES_IN_TURN = 5;

/** A task with more stays in D1: its file has to fit a Worker's 128 MB (facts/platform.md §4) more than once. */
const MAX_TASK_BYTES = 24_000_000;

/** What the removal of old tasks needs from outside. */
export interface RetentionPorts extends RemovalPorts {
  /** How long after its end history keeps a task, milliseconds. */
  retentionMs: number;
  /** The tenant that a run begins with; null for the first. */
  readStart: () => Promise<string | null>;
  writeStart: (tenant: string | null) => Promise<void>;
  /** Behind which of its tasks a tenant goes on; null at its oldest. */
  readPlace: (tenant: string) => Promise<Place | null>;
  writePlace: (tenant: string, place: Place | null) => Promise<void>;
  /** Tenants that have tasks, from a name on, in order. */
  tenants: (from: string, limit: number) => Promise<string[]>;
  /** Tasks that were created before an instant, oldest first. */
  oldTasks: (
    tenant: string,
    page: { before: string; place: Place | null; limit: number },
  ) => Promise<{ tasks: OldTask[]; next: Place | null }>;
}

/** One run: what it has done, and what it may still do. */
interface Run {
  pages: number;
  groups: number;
  removed: number;
  tooLarge: string[];
  incomplete: string[];
}

function isSpent({ pages, groups }: Run): boolean {
  return pages >= MAX_PAGES || groups >= MAX_GROUPS;
}

/** A group that fails comes again in a later round; the others must not wait for it. */
async function tryGroup(
  ports: RetentionPorts,
  tenant: string,
  { group, run }: { group: readonly OldTask[]; run: Run },
): Promise<void> {
  run.groups += 1;
  try {
    const { count, incomplete } = await removeGroup(ports, tenant, group);
    run.removed += count;
    run.incomplete.push(...incomplete);
  } catch (error) {
    const task_id = group[0]?.task_id;
    ports.log("error", "tasks_not_removed", { tenant, task_id, error: String(error) });
  }
}

/** Which tasks of a page go; too large ones, which only an archive has to hold, are noted. */
function goingOf(ports: RetentionPorts, tasks: readonly OldTask[], before: string, run: Run) {
  const over = tasks.filter(
    ({ phase, ended_at }) => phase === "ended" && ended_at !== null && ended_at < before,
  );
  if (ports.archive === null) return over;
  const isLarge = ({ bytes }: OldTask): boolean => bytes > MAX_TASK_BYTES;
  run.tooLarge.push(...over.filter(isLarge).map(({ task_id }) => task_id));
  return over.filter((task) => !isLarge(task));
}

/** Removes the old tasks of one page; behind which task to go on, else null. */
async function sweepPage(
  ports: RetentionPorts,
  tenant: string,
  { place, run }: { place: Place | null; run: Run },
): Promise<Place | null> {
  const before = instant(ports.now() - ports.retentionMs);
  const page = await ports.oldTasks(tenant, { before, place, limit: PAGE });
  run.pages += 1;
  const going = goingOf(ports, page.tasks, before, run);
  for (const group of groupsOf(going, FILE_BYTES)) {
    await tryGroup(ports, tenant, { group, run });
    const last = group.at(-1);
    if (run.groups < MAX_GROUPS || last === undefined) continue;
    return last === going.at(-1) ? page.next : { at: last.created_at, id: last.task_id };
  }
  return page.next;
}

/** Gives one tenant its turn; whether it needs another one. */
async function sweepTenant(ports: RetentionPorts, tenant: string, run: Run): Promise<boolean> {
  const start = await ports.readPlace(tenant);
  let place = start;
  let pages = 0;
  do {
    place = await sweepPage(ports, tenant, { place, run });
    pages += 1;
  } while (place !== null && pages < MAX_PAGES_IN_TURN && !isSpent(run));
  if (start !== null || place !== null) await ports.writePlace(tenant, place);
  return place !== null;
}

/** Gives tenants their turns as long as the run may go on; with which of them the next one begins, null for the first. */
async function sweepFrom(
  ports: RetentionPorts,
  start: string | null,
  run: Run,
): Promise<string | null> {
  const tenants = await ports.tenants(start ?? "", MAX_TENANTS);
  const turns = [...tenants];
  let taken = 0;
  for (const tenant of turns) {
    if (isSpent(run)) break;
    taken += 1;
    if (await sweepTenant(ports, tenant, run)) turns.push(tenant);
  }
  const unseen = tenants[taken];
  if (unseen !== undefined) return unseen;
  const last = tenants.at(-1);
  // The first name behind it: no tenant's name holds this character.
  return tenants.length < MAX_TENANTS || last === undefined ? null : `${last}\u{1}`;
}

function tellKept({ log }: RetentionPorts, event: string, task_ids: readonly string[]): void {
  if (task_ids.length === 0) return;
  log("warning", event, { count: task_ids.length, first: task_ids[0] ?? null });
}

/**
 * Takes tasks out of D1 whose retention is over: into the archive where one is bound, for good where none is.
 *
 * Only what history has completely is removed, and nothing before the archive has confirmed that it has it; what a failure
 * cuts off between the two is done again by a later run; at worst a file stays that no row names. One run removes 5,000
 * at most; the tenants take turns, and each goes on where it stopped.
 */
export async function removeOldTasks(ports: RetentionPorts): Promise<void> {
  const start = await ports.readStart();
  const run: Run = { pages: 0, groups: 0, removed: 0, tooLarge: [], incomplete: [] };
  const next = await sweepFrom(ports, start, run);
  if (next !== start) await ports.writeStart(next);
  if (run.removed > 0) ports.log("info", "tasks_removed", { count: run.removed });
  tellKept(ports, "tasks_too_large_to_archive", run.tooLarge);
  tellKept(ports, "tasks_kept_incomplete", run.incomplete);
}
