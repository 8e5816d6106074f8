import * as z from "zod";

import { endPhaseNameSchema } from "../../protocol/enums.ts";
import { PROGRESS_ROW } from "../task-store.ts";
import type { PhaseProgress } from "./run-phase.ts";

const progressSchema = z.object({
  phase: endPhaseNameSchema,
  started_at: z.int(),
  deadline: z.number(),
  settled: z.record(
    z.string(),
    z.object({
      outcome: z.enum(["done", "fallback", "timed_out"]),
      attempts: z.int(),
      detail: z.string(),
    }),
  ),
  tried: z.record(z.string(), z.object({ attempts: z.int(), next_at: z.number() })),
});

/** How far the phase is that is going on, or null when nothing of it was worth a row yet. */
export function readProgress(sql: SqlStorage): PhaseProgress | null {
  const [row] = sql
    .exec<{ body: string }>(`SELECT body FROM record WHERE id = ${PROGRESS_ROW}`)
    .toArray();
  return row === undefined ? null : progressSchema.parse(JSON.parse(row.body));
}

/** Remembers how far a phase is. One row. */
export function writeProgress(sql: SqlStorage, progress: PhaseProgress): void {
  sql.exec(
    `INSERT OR REPLACE INTO record (id, body) VALUES (${PROGRESS_ROW}, ?)`,
    JSON.stringify(progress),
  );
}

/** Forgets it: the phase has its record in the log. */
export function removeProgress(sql: SqlStorage): void {
  sql.exec(`DELETE FROM record WHERE id = ${PROGRESS_ROW}`);
}
