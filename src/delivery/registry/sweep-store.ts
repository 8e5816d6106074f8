import { and, asc, eq, lte } from "drizzle-orm";
import { drizzle, type DrizzleD1Database } from "drizzle-orm/d1";

import { endpointSweepTable } from "../../db/tables.ts";

/** When which endpoint's object wants to be woken to forget what is too old, in D1. */
export class SweepStore {
  readonly #db: DrizzleD1Database;

  constructor(database: D1Database) {
    this.#db = drizzle(database);
  }

  /** The object of this name is woken at an instant in epoch milliseconds, and no longer at an earlier one. */
  async schedule(name: string, due: number): Promise<void> {
    await this.#db
      .insert(endpointSweepTable)
      .values({ name, due })
      .onConflictDoUpdate({ target: endpointSweepTable.name, set: { due } });
  }

  /** Names of those that are due, the longest due first. */
  async due(now: number, limit: number): Promise<string[]> {
    const { name, due } = endpointSweepTable;
    const rows = await this.#db
      .select({ name })
      .from(endpointSweepTable)
      .where(lte(due, now))
      .orderBy(asc(due))
      .limit(limit);
    return rows.map((row) => row.name);
  }

  /** Nothing is left there that could become too old; an appointment after `now` was made meanwhile, and stays. */
  async remove(name: string, now: number): Promise<void> {
    const { due, name: of } = endpointSweepTable;
    await this.#db.delete(endpointSweepTable).where(and(eq(of, name), lte(due, now)));
  }
}
