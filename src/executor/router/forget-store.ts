import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";

import {
  modelStatisticTable as statistic,
  routingBreakerTable as breaker,
  routingCellTable as cell,
} from "../../db/routing-table.ts";

/* What is known of a model that is no longer true, because the model was changed, tried out or taken away. */

/** A model of a tenant. */
interface Named {
  tenant: string;
  model_id: string;
}

/** Closes the breaker of a model: what failed to answer is not what is asked from now on, or it answers again. */
export async function forgetOutage(db: D1Database, { tenant, model_id }: Named): Promise<void> {
  await drizzle(db)
    .delete(breaker)
    .where(and(eq(breaker.tenant, tenant), eq(breaker.model_id, model_id)));
}

/**
 * Forgets all that was learned of a model, because its name stands for another one, or for none. Its choices stay.
 *
 * Cells are emptied and not deleted: their `updates` are the time that the other models' cells forget by.
 */
export async function forgetModel(db: D1Database, { tenant, model_id }: Named): Promise<void> {
  const orm = drizzle(db);
  await orm.batch([
    orm.delete(breaker).where(and(eq(breaker.tenant, tenant), eq(breaker.model_id, model_id))),
    orm
      .delete(statistic)
      .where(and(eq(statistic.tenant, tenant), eq(statistic.model_id, model_id))),
    orm
      .update(cell)
      .set({ weight: 0, total: 0 })
      .where(and(eq(cell.tenant, tenant), eq(cell.model_id, model_id))),
  ]);
}
