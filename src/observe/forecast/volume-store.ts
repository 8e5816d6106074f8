import * as z from "zod";

import { STEPS, TOGETHER } from "../../db/rollup-table.ts";
import { taskTypeSchema } from "../../protocol/enums.ts";
import type { Known } from "./capacity.ts";
import { HOUR_S, MAX_WEEKS, WEEK_S } from "./forecast.ts";

const rowSchema = z.object({ hour: z.int(), task_type: taskTypeSchema, created: z.int() });

/**
 * Tasks that were created in each hour of the last six weeks and the one of a back-test, by type, where there were any; the
 * present hour excluded; from the roll-ups, so that no task is looked at.
 *
 * @param now epoch milliseconds
 * @throws when D1 fails
 */
export async function readVolumes(
  db: D1Database,
  tenant: string,
  now: number,
): Promise<Pick<Known, "byType" | "since">> {
  const until = Math.floor(now / 1_000 / HOUR_S) * HOUR_S;
  const { results } = await db
    .prepare(
      // Hours of all executors together: one row of the key for each hour and type, however many executors there are.
      `SELECT bucket - bucket % ${HOUR_S} AS hour, task_type,
         CAST(total(created) AS INTEGER) AS created
       FROM task_rollup
       WHERE tenant = ?1 AND step IN (${STEPS.minute}, ${TOGETHER.hour}) AND bucket >= ?2 AND bucket < ?3
         AND agent_id = ''
       GROUP BY 1, 2 HAVING total(created) > 0`,
    )
    .bind(tenant, until - (MAX_WEEKS + 1) * WEEK_S, until)
    .all();
  const rows = results.map((row) => rowSchema.parse(row));
  const byType = new Map(
    [...Map.groupBy(rows, ({ task_type }) => task_type)].map(([type, of]) => [
      type,
      new Map(of.map(({ hour, created }) => [hour, created])),
    ]),
  );
  const since = rows.length === 0 ? null : Math.min(...rows.map(({ hour }) => hour));
  return { byType, since };
}
