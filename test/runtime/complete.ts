import { readRecordedTo } from "../../src/history/task-log-store.ts";

/** Whether history has all of a task up to a seq. */
export async function isComplete(
  db: D1Database,
  task: Parameters<typeof readRecordedTo>[1],
  seq: number,
): Promise<boolean> {
  return ((await readRecordedTo(db, task)) ?? 0) >= seq;
}
