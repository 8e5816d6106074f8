import { ok, type Result } from "../lib/result.ts";
import { cursorOf, placeOf } from "../protocol/keyset.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { Repair, RepairRequest } from "../protocol/state-view.ts";
import { forgetNewer, readAllRows, readNamedRows, readOpenRows } from "./active-store.ts";
import { isSound, type ActiveRow } from "./active.ts";

/** Tasks that one call compares, at most. */
const PAGE = 200;

/** Objects that are asked at one time. */
const TOGETHER = 25;

/** What a repair is made from. */
export interface RepairParts {
  /** The database of the tenant's history. */
  db: (tenant: string) => Promise<D1Database>;
  /** Makes a read of that, unless it is down. */
  read: <Value>(tenant: string, query: (db: D1Database) => Promise<Value>) => Promise<Value>;
  /** What the task's object says, or null when it knows no task. */
  truth: (tenant: string, task_id: string) => Promise<Parameters<typeof isSound>[1] | null>;
  /** Has the rows of the task written anew. */
  rebuild: (tenant: string, task_id: string) => Promise<void>;
}

/** A task to compare: its row, or null when the index has none. */
interface Suspect {
  task_id: string;
  row: ActiveRow | null;
}

type Verdict = "sound" | "repaired" | "missing";

async function compare(
  parts: RepairParts,
  tenant: string,
  { task_id, row }: Suspect,
): Promise<Verdict> {
  const truth = await parts.truth(tenant, task_id);
  // An object is emptied when its task has ended and history has it: such a row is all there is.
  if (truth === null) return row?.phase === "ended" ? "sound" : "missing";
  if (row !== null && isSound(row, truth)) return "sound";
  if (row !== null && row.seq > truth.seq) {
    await forgetNewer(await parts.db(tenant), { tenant, task_id }, truth.seq);
  }
  await parts.rebuild(tenant, task_id);
  return "repaired";
}

async function suspectsOf(
  parts: RepairParts,
  tenant: string,
  { task_ids, all, cursor }: RepairRequest,
): Promise<Result<{ suspects: Suspect[]; next_cursor: string | null }, Refusal>> {
  if (task_ids !== undefined) {
    const names = [...new Set(task_ids)];
    const rows = await parts.read(tenant, (db) => readNamedRows(db, tenant, names));
    const known = new Map(rows.map((row) => [row.task_id, row]));
    const suspects = names.map((task_id) => ({ task_id, row: known.get(task_id) ?? null }));
    return ok({ suspects, next_cursor: null });
  }
  const from = placeOf(cursor);
  if (!from.ok) return from;
  const readRows = all ? readAllRows : readOpenRows;
  const { rows, next } = await parts.read(tenant, (db) => readRows(db, tenant, from.value, PAGE));
  const suspects = rows
    .filter(({ phase }) => all || phase !== "ended")
    .map((row) => ({ task_id: row.task_id, row }));
  return ok({ suspects, next_cursor: next === null ? null : cursorOf(next) });
}

/**
 * Compares rows of the index with the objects of their tasks, a page at a time, and has those written anew that differ.
 *
 * The rows follow through the queue, so they are right a moment later. A row that was lost is found by its name alone.
 */
export async function repairState(
  parts: RepairParts,
  tenant: string,
  request: RepairRequest,
): Promise<Result<Repair, Refusal>> {
  const found = await suspectsOf(parts, tenant, request);
  if (!found.ok) return found;
  const { suspects, next_cursor } = found.value;
  const verdicts = new Map<string, Verdict>();
  for (let start = 0; start < suspects.length; start += TOGETHER) {
    const group = suspects.slice(start, start + TOGETHER);
    const judged = await Promise.all(group.map((suspect) => compare(parts, tenant, suspect)));
    group.forEach(({ task_id }, index) => verdicts.set(task_id, judged[index] ?? "sound"));
  }
  const named = (verdict: Verdict) =>
    [...verdicts].flatMap(([task_id, of]) => (of === verdict ? [task_id] : []));
  return ok({
    checked: suspects.length,
    repaired: named("repaired"),
    missing: named("missing"),
    next_cursor,
  });
}
