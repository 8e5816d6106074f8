import type { TaskType } from "../protocol/enums.ts";
import { readRuns } from "./run-store.ts";
import { typeHistoryOf, type TypeHistory } from "./type-history.ts";

/** Tasks that an estimate is made from, at most: the newest ones; more would change it little and cost as much. */
const MAX_TYPE_RUNS = 1_000;

/** Later than every stored instant. */
const END_OF_TIME = "9999-12-31T23:59:59.999Z";

/**
 * How the tasks of each type have gone that were created since an instant, from the newest 1,000 of them.
 *
 * @param since an instant in the stored form (lib/ports `instant`)
 * @throws when D1 fails
 */
export async function readTypeHistory(
  db: D1Database,
  tenant: string,
  since: string,
): Promise<ReadonlyMap<TaskType, TypeHistory>> {
  const { runs } = await readRuns(db, tenant, { since, until: END_OF_TIME }, MAX_TYPE_RUNS);
  return typeHistoryOf(runs);
}
