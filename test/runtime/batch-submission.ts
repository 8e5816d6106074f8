import type { BatchView } from "../../src/protocol/batch.ts";
import { call } from "./batuta.ts";
import type { Executor } from "./batuta.ts";

/** A batch of tasks as a test writes them. */
interface Items {
  tasks: Record<string, unknown>[];
  batch_options?: Record<string, unknown>;
  batch_id?: string;
}

/** Submits a batch whose tasks only one executor can take. */
export async function submitFor(agent: Executor, { tasks, ...batch }: Items) {
  return call<BatchView>("POST", "/v1/batches", {
    ...batch,
    tasks: tasks.map((task) => ({
      task_type: "research",
      description: "one task of a batch",
      requires: { capabilities: [agent.agent_id] },
      execution_options: { retry_policy: { max_retries: 0 } },
      ...task,
    })),
  });
}
