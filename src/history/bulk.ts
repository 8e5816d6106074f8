import * as z from "zod";

import { rootCauseSchema } from "../protocol/notification.ts";
import { jsonObjectSchema } from "../protocol/primitives.ts";
import type { TaskView } from "../protocol/task-view.ts";

/** Members of a task view that lists leave out because they are large. */
export const bulkSchema = z.strictObject({
  result: z.unknown().optional(),
  metadata: jsonObjectSchema.nullable().optional(),
  root_cause: rootCauseSchema.nullable().optional(),
});
export type Bulk = z.infer<typeof bulkSchema>;

/**
 * Characters of JSON that one member may take in a list.
 *
 * A body may hold 1 MiB (protocol.md §7), a page 200 tasks, and a Worker 128 MB (facts/platform.md §4).
 */
const LISTED_LENGTH = 8_192;

function isLarge(value: unknown): boolean {
  return value !== null && JSON.stringify(value).length > LISTED_LENGTH;
}

/** A task view as lists show it, with null for what is large, and apart from it what was large, if anything. */
export function slim(view: TaskView): { view: TaskView; bulk: Bulk | null } {
  const bulk: Bulk = {
    ...(isLarge(view.result) && { result: view.result }),
    ...(isLarge(view.metadata) && { metadata: view.metadata }),
    ...(view.error !== null &&
      isLarge(view.error.root_cause) && { root_cause: view.error.root_cause }),
  };
  if (Object.keys(bulk).length === 0) return { view, bulk: null };
  return {
    view: {
      ...view,
      ...("result" in bulk && { result: null }),
      ...("metadata" in bulk && { metadata: null }),
      ...(view.error !== null &&
        "root_cause" in bulk && { error: { ...view.error, root_cause: null } }),
    },
    bulk,
  };
}

/** The task view that `slim` took apart. */
export function restore(view: TaskView, bulk: Bulk | null): TaskView {
  if (bulk === null) return view;
  return {
    ...view,
    ...(bulk.result !== undefined && { result: bulk.result }),
    ...(bulk.metadata !== undefined && { metadata: bulk.metadata }),
    ...(bulk.root_cause !== undefined &&
      view.error !== null && { error: { ...view.error, root_cause: bulk.root_cause } }),
  };
}
