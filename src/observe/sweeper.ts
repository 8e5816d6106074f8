import type { Log } from "../lib/log.ts";
import { instant, type Clock } from "../lib/ports.ts";
import type { Place } from "../protocol/keyset.ts";
import type { ActivePage, ActiveRow } from "./active.ts";
import type { NoteRepair } from "./repairs/tally.ts";

/** A task may be late by this much before it is woken: its own alarm comes first. Milliseconds. */
const LATE_MS = 60_000;

/** A task that history has heard nothing of for so long is woken, in case that it sleeps. Milliseconds. */
const SILENT_MS = 900_000;

/** Tasks that one run wakes, rows of one page, and pages of one run: a run stays within what it may call. */
const MAX_WOKEN = 200;
const PAGE = 200;
const MAX_PAGES = 50;

/** Where a sweep goes on: a tenant, and a place in the order of its tasks. */
export interface SweepCursor {
  tenant: string;
  place: Place | null;
}

/** What a sweep needs from outside. */
export interface SweeperPorts {
  now: Clock;
  log: Log;
  readCursor: () => Promise<SweepCursor | null>;
  writeCursor: (cursor: SweepCursor | null) => Promise<void>;
  /** Tenants that have tasks, from a name on, in order. */
  tenants: (from: string, limit: number) => Promise<string[]>;
  /** Tasks in an open status, oldest first. */
  openRows: (tenant: string, place: Place | null, limit: number) => Promise<ActivePage>;
  /** Tasks with a settled outcome that have not ended. */
  finalizing: (tenant: string) => Promise<ActiveRow[]>;
  /** Has a task do what is due and arm its alarm. */
  nudge: (tenant: string, task_id: string) => Promise<void>;
  /** Notes what came of it. */
  note: NoteRepair;
}

/** Whether a task should have said something by now. */
export function isOverdue(row: ActiveRow, now: number): boolean {
  if (row.phase === "ended") return false;
  const isLate = row.deadline_at !== null && row.deadline_at < instant(now - LATE_MS);
  return isLate || row.updated_at < instant(now - SILENT_MS);
}

/** One run: what it may still do. */
interface Run {
  woken: number;
  pages: number;
}

async function wake(
  ports: SweeperPorts,
  tenant: string,
  rows: readonly ActiveRow[],
  run: Run,
): Promise<void> {
  const overdue = rows.filter((row) => isOverdue(row, ports.now()));
  for (const { task_id } of overdue) {
    run.woken += 1;
    try {
      await ports.nudge(tenant, task_id);
      ports.note("task_woken", tenant, task_id);
    } catch (error) {
      ports.note("task_not_woken", tenant, task_id);
      // The others must not wait for it; it comes again in the next round.
      ports.log("error", "task_not_woken", { tenant, task_id, error: String(error) });
    }
  }
}

function isSpent({ woken, pages }: Run): boolean {
  return woken >= MAX_WOKEN || pages >= MAX_PAGES;
}

/** Sweeps one tenant, a page at least; where to go on with it when the run may do no more, else null. */
async function sweepTenant(
  ports: SweeperPorts,
  { tenant, place }: SweepCursor,
  run: Run,
): Promise<SweepCursor | null> {
  if (place === null) await wake(ports, tenant, await ports.finalizing(tenant), run);
  let next: Place | null = place;
  do {
    const page: ActivePage = await ports.openRows(tenant, next, PAGE);
    run.pages += 1;
    await wake(ports, tenant, page.rows, run);
    next = page.next;
  } while (next !== null && !isSpent(run));
  return next === null ? null : { tenant, place: next };
}

/** Sweeps tenants from where the last run stopped; where the next one goes on, or null when all were swept. */
async function sweepFrom(
  ports: SweeperPorts,
  start: SweepCursor | null,
  run: Run,
): Promise<SweepCursor | null> {
  const tenants = await ports.tenants(start?.tenant ?? "", MAX_PAGES);
  for (const tenant of tenants) {
    if (isSpent(run)) return { tenant, place: null };
    const place = tenant === start?.tenant ? start.place : null;
    const rest = await sweepTenant(ports, { tenant, place }, run);
    if (rest !== null) return rest;
  }
  const last = tenants.at(-1);
  if (tenants.length < MAX_PAGES || last === undefined) return null;
  // The first name behind it: no tenant's name holds this character.
  return { tenant: `${last}\u{1}`, place: null };
}

/**
 * Wakes tasks that should have ended or said something: an alarm may be lost, a promise must not be.
 *
 * One run wakes about 200 tasks and looks at 10,000 in open status; the next goes on where it stopped.
 */
export async function sweepTasks(ports: SweeperPorts): Promise<void> {
  const start = await ports.readCursor();
  const run: Run = { woken: 0, pages: 0 };
  const rest = await sweepFrom(ports, start, run);
  if (start !== null || rest !== null) await ports.writeCursor(rest);
  if (run.woken > 0) ports.log("info", "tasks_woken", { count: run.woken });
}
