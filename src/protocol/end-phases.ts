import * as z from "zod";

import type { EndPhaseName, TaskType } from "./enums.ts";
import { taskTypeSchema } from "./enums.ts";

/** The shortest and the longest time that an end phase may be given, and what it is given by default. Seconds. */
const LEAST_S = 1;
const MOST_S = 300;
/** protocol.md §7, Verdict: 30 s each. */
const DEFAULT_S = 30;

const limitSchema = z.int().min(LEAST_S).max(MOST_S).meta({ description: "Seconds." });

/** How long each end phase may take; what is absent is left to the installation. */
export const endPhaseLimitsSchema = z.strictObject({
  cleanup: limitSchema.optional(),
  reporting: limitSchema.optional(),
  notification: limitSchema.optional(),
});
type EndPhaseLimits = z.infer<typeof endPhaseLimitsSchema>;

/** What an installation gives the end phases: to all tasks, and to those of a type. */
export const installedEndPhasesSchema = endPhaseLimitsSchema.extend({
  types: z.partialRecord(taskTypeSchema, endPhaseLimitsSchema).optional(),
});
export type InstalledEndPhases = z.infer<typeof installedEndPhasesSchema>;

/**
 * How long an end phase of a task may take, milliseconds: as the task says, else as the installation says of its
 * type, else of all.
 */
export function endPhaseLimitMs(
  name: EndPhaseName,
  task: {
    task_type: TaskType;
    execution_options: { end_phase_limits?: EndPhaseLimits | undefined };
  },
  installed: InstalledEndPhases,
): number {
  const own = task.execution_options.end_phase_limits?.[name];
  const ofType = installed.types?.[task.task_type]?.[name];
  return (own ?? ofType ?? installed[name] ?? DEFAULT_S) * 1_000;
}
