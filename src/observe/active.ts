import type { Place } from "../protocol/keyset.ts";

/** A task as the index has it. Instants in the stored form. */
export interface ActiveRow {
  task_id: string;
  created_at: string;
  seq: number;
  status: string;
  phase: string;
  deadline_at: string | null;
  updated_at: string;
  /** `seq/status/phase` inside the view, which a sound row repeats. */
  inside: string;
}

/** Rows in the order of creation, oldest first, and where to go on; null when that was all. */
export interface ActivePage {
  rows: ActiveRow[];
  next: Place | null;
}

/** What a task is, as its object says. */
interface Truth {
  seq: number;
  status: string;
  phase: string;
}

/** Whether a row says what its task's object says. */
export function isSound(row: ActiveRow, truth: Truth): boolean {
  const [inside, outside] = [row.inside, `${row.seq}/${row.status}/${row.phase}`];
  return inside === outside && outside === `${truth.seq}/${truth.status}/${truth.phase}`;
}
