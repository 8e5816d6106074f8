import type {
  BatchItem,
  BatchPlan,
  BatchRecord,
  ItemEnd,
} from "../../src/dispatch/batch/batch-record.ts";
import { assess } from "../../src/dispatch/complexity.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";

/** When the batches of these tests begin, epoch milliseconds. */
export const BEGAN = 1_000_000;

/** An item of a batch that waits for others by index. */
function itemOf(task_id: string, after: number[] = []): BatchItem {
  const task = taskExecutionSchema.parse({
    task_type: "general",
    description: "one task of a batch",
  });
  return { task_id, task, after, approval: null, assessment: assess(task, new Map()) };
}

/** A batch of as many items as there are lists of whom they wait for. */
export function planOf(
  graph: readonly number[][],
  options: Partial<BatchPlan["options"]> = {},
): BatchPlan {
  return {
    tenant: "acme",
    batch_id: "b1",
    body_hash: "hash",
    by: { key_id: "key_1", tenant: "acme", scopes: ["orchestrate"], isBootstrap: false },
    trace_id: "trace",
    origin: "https://batuta.test",
    created_at: BEGAN,
    options: {
      execution_mode: "parallel",
      max_concurrent: 3,
      fail_fast: false,
      timeout: 60,
      ...options,
    },
    items: graph.map((after, index) => itemOf(`t${index}`, after)),
    request: null,
  };
}

/** The end of an item, a second after the batch began unless it says otherwise. */
export function endOf(
  index: number,
  status: ItemEnd["status"] = "completed",
  at = BEGAN + 1_000,
): ItemEnd {
  const reasons = { completed: "success", failed: "failure", cancelled: "cancelled" } as const;
  const end_reason = status !== null && status in reasons ? reasons[status as "failed"] : null;
  return { task_id: `t${index}`, status, end_reason, at, problem: null };
}

/** What is known of a batch of which so much has ended. */
export function recordOf(plan: BatchPlan, ...ends: ItemEnd[]): BatchRecord {
  return { plan, ends, is_created: true, stop: null };
}
