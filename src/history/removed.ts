import type { Outcome } from "../protocol/kin.ts";
import type { TaskView } from "../protocol/task-view.ts";
import type { ArchivePlace } from "./archive-file.ts";

/* What is known of tasks whose retention is over. */

/**
 * Days for which a removed task is still there after REMOVED_RETENTION_DAYS, for those alone that have named it before: then
 * nobody reads it any more and no new task may wait for it, but its id is not free, and a gate gets its outcome.
 *
 * A task that waits lives for seven days (total_timeout; what is granted later is granted to those that have begun), and ends
 * in an hour. Twice that, so that news of the task that a queue still has, four days at most, meet no second task of its id.
 */
export const REMOVED_MARGIN_DAYS = 14;

/** What is left of a removed task. Instants are RFC 3339. */
export interface RemovedTask {
  ended_at: string;
  removed_at: string;
  /** Who held it last. */
  agent_id: string | null;
  body_hash: string | null;
  outcome: Outcome;
  /** Null where it was removed for good. */
  place: ArchivePlace | null;
}

/** A task that is to be removed. */
export interface Removal extends Omit<RemovedTask, "agent_id" | "body_hash"> {
  task_id: string;
  /** It goes only as long as it is the one that was read. */
  created_at: string;
  seq: number;
  escalation_ids: string[];
  debt_ids: string[];
}

/** How a task stands, from its view, without what it made: for those that depend on it. */
export function outcomeOfView(view: TaskView): Outcome {
  return {
    task_id: view.task_id,
    task_type: view.task_type,
    phase: view.phase,
    is_ended: view.phase === "ended",
    status: view.status,
    end_reason: view.end_reason,
    completion_status: view.completion_status,
    result: null,
    quality: null,
    agent_id: view.agent_id,
    parent_task_id: view.parent_task_id,
  };
}

/** What a repeated submission is told apart by: of a task that has ended, or was removed. */
export interface FormerTask {
  /** Null where the task is older than the keeping of hashes. */
  body_hash: string | null;
  /** Null where it has not been removed. RFC 3339. */
  removed_at: string | null;
}

/** A row of which the retention may be over. `bytes` of all that is stored of it. */
export interface OldTask {
  task_id: string;
  created_at: string;
  phase: string;
  ended_at: string | null;
  bytes: number;
}
