import * as z from "zod";

import { remedyOf } from "../protocol/post-mortem.ts";
import type { TaskEvent } from "../protocol/task-view.ts";

/** A class of problems that a task had, and what was done about it the last time; null where the report is older. */
export interface Cause {
  class: string;
  remedy: string | null;
}

/** So many classes of one task count: what has more is no pattern but chaos. */
const MOST_CAUSES = 20;

const reportSchema = z.object({
  post_mortem: z.array(z.object({ class: z.string(), action: z.string() })),
});

/** What went wrong in a task that has ended, by the report among its events, each class once; none before. */
export function causesOf(events: readonly TaskEvent[]): Cause[] {
  const final = events.find(({ type }) => type === "agent_end_task");
  const report = reportSchema.safeParse(final?.data);
  if (!report.success) return [];
  const entries = report.data.post_mortem.map(
    ({ class: word, action }) => [word, remedyOf(action)] as const,
  );
  return [...new Map(entries)]
    .slice(0, MOST_CAUSES)
    .map(([word, remedy]) => ({ class: word, remedy }));
}
