import * as z from "zod";

import { outcomeSchema, type Outcome } from "../protocol/kin.ts";

/*
 * The outcome of a removed task as its row has it. There is a row for every task that ever was, so it holds only what the
 * other columns do not, and by place instead of by name: half of the row's bytes.
 */

const { task_type, status, end_reason, completion_status, parent_task_id } = outcomeSchema.shape;

const outcomeRowSchema = z.tuple([
  task_type,
  status,
  end_reason,
  completion_status,
  parent_task_id.unwrap(),
]);

/** In which rows are written; rows from before have the whole of the outcome. */
const eitherSchema = z.union([outcomeRowSchema, outcomeSchema]);

/** The columns of a row that tell how the task stood. */
interface OutcomeColumns {
  task_id: string;
  /** Who held it last. */
  agent_id: string | null;
  /** JSON. */
  outcome: string;
}

/** What of an outcome is written into its row, as JSON. */
export function outcomeRowOf(outcome: Outcome): z.infer<typeof outcomeRowSchema> {
  return [
    outcome.task_type,
    outcome.status,
    outcome.end_reason,
    outcome.completion_status,
    outcome.parent_task_id ?? null,
  ];
}

/** The outcome that a row tells, without a result: that went with the task. @throws ZodError when it tells none */
export function outcomeOfRow({ task_id, agent_id, outcome }: OutcomeColumns): Outcome {
  const told = eitherSchema.parse(JSON.parse(outcome));
  if (!Array.isArray(told)) return told;
  const [type, standing, reason, completion, parent] = told;
  return {
    task_id,
    task_type: type,
    phase: "ended",
    is_ended: true,
    status: standing,
    end_reason: reason,
    completion_status: completion,
    result: null,
    quality: null,
    agent_id,
    parent_task_id: parent,
  };
}
