import type { Subtasks } from "../../protocol/task-execution.ts";
import type { Child } from "./family.ts";

/** Whether the children are done as far as their parent is concerned. */
export type Join = { kind: "open" } | { kind: "success" } | { kind: "failure"; message: string };

const OPEN: Join = { kind: "open" };
const SUCCESS: Join = { kind: "success" };

/** How many children must succeed. */
export function neededOf(subtasks: Subtasks): number {
  switch (subtasks.join) {
    case "all":
      return subtasks.on_failure === "continue" ? 1 : subtasks.expected;
    case "any":
      return 1;
    case "n_of":
      return subtasks.n ?? subtasks.expected;
  }
}

/**
 * Judges the children by the join policy, as early as the outcome is certain.
 *
 * Join `all` with on_failure `continue` waits for every child, and is content with what succeeded.
 */
export function joinOf(subtasks: Subtasks, children: readonly Child[]): Join {
  const ended = children.filter(({ report }) => report?.is_ended === true);
  const succeeded = ended.filter(({ report }) => report?.end_reason === "success").length;
  const failed = ended.length - succeeded;
  const total = Math.max(subtasks.expected, children.length);
  const needed = neededOf(subtasks);
  const waitsForAll = subtasks.join === "all" && subtasks.on_failure === "continue";
  if (succeeded >= needed && (!waitsForAll || ended.length === total)) return SUCCESS;
  if (total - failed >= needed) return OPEN;
  const message = `${failed} of ${total} subtasks did not succeed; ${needed} must`;
  return { kind: "failure", message };
}
