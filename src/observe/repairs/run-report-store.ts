import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import * as z from "zod";

import { sweepCursorTable } from "../../db/tables.ts";
import { sweepRunSchema, type SweepRun } from "../../protocol/repairs.ts";

/** The row that holds the last runs, beside the rows that say where sweeps go on. */
const ROW = "report";

const runsSchema = z.array(sweepRunSchema);

/** The last runs, newest first. What cannot be read any more is forgotten: it is no truth but a report. */
export async function readRuns(db: D1Database): Promise<SweepRun[]> {
  const ofReport = eq(sweepCursorTable.name, ROW);
  const row = await drizzle(db).select().from(sweepCursorTable).where(ofReport).get();
  if (row === undefined) return [];
  return runsSchema.safeParse(JSON.parse(row.cursor)).data ?? [];
}

/** Writes the last runs: one row, whatever they did. */
export async function writeRuns(db: D1Database, runs: readonly SweepRun[]): Promise<void> {
  const row = { name: ROW, cursor: JSON.stringify(runs) };
  await drizzle(db)
    .insert(sweepCursorTable)
    .values(row)
    .onConflictDoUpdate({ target: sweepCursorTable.name, set: { cursor: row.cursor } });
}
