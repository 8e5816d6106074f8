import { STEPS, TOGETHER } from "../../db/rollup-table.ts";
import { taskTypeSchema } from "../../protocol/enums.ts";

/* Where the rows of a range are in the key of the roll-up. */

/** Lengths of the steps that are kept, seconds. */
export const LENGTHS: readonly number[] = Object.values(STEPS);

/** All task types, as SQL has lists: whoever names them and an executor searches the key for that executor alone. */
export const TASK_TYPES = taskTypeSchema.options.map((type) => `'${type}'`).join(", ");

/** The step under which rows of a length are kept for all executors together. Minutes are kept of each alone. */
export function togetherStep(length: number): number {
  switch (length) {
    case STEPS.hour:
      return TOGETHER.hour;
    case STEPS.day:
      return TOGETHER.day;
    default:
      return length;
  }
}

const OF_TYPE = "(?4 IS NULL OR task_type = ?4)";
const IN_RANGE = "bucket >= ?2 AND bucket < ?3";

/** Each hour or day by itself, so that the key leads to one executor's rows past those of all others. */
function ofExecutor(length: number): string {
  return `step = ${length} AND bucket IN (
      WITH RECURSIVE known(start) AS (
        SELECT (CAST(?2 AS INTEGER) + ${length - 1}) / ${length} * ${length}
        UNION ALL SELECT start + ${length} FROM known WHERE start + ${length} < ?3)
      SELECT start FROM known)
    AND task_type IN (${TASK_TYPES}) AND agent_id = ?5 AND ${IN_RANGE}`;
}

/**
 * SELECT of the rows that begin in a range, for each of some lengths of step: of one executor, or of all of them.
 *
 * Binds: ?1 tenant, ?2 and ?3 epoch seconds, the later one excluded, ?4 task type or null, ?5 executor or null. Searches the
 * key by tenant, step and start. Minutes of all executors are looked at whoever is asked for: they are kept for some hours
 * alone, and are no more than the tasks that ended in these.
 */
export function rowsOfRange(
  columns: string,
  lengths: readonly number[],
  agent_id: string | null,
): string {
  const parts = lengths.map((length) => {
    const isOfAll = agent_id === null || length === STEPS.minute;
    const place = isOfAll ? `step = ${togetherStep(length)} AND ${IN_RANGE}` : ofExecutor(length);
    return `SELECT ${columns} FROM task_rollup WHERE tenant = ?1 AND ${place} AND ${OF_TYPE}
      AND (?5 IS NULL OR agent_id = ?5)`;
  });
  return parts.join(" UNION ALL ");
}
