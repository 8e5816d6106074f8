import { taskExecutionSchema } from "../src/protocol/task-execution.ts";

/** A task as its executor receives it, with all defaults. */
export function assignedTask(task_id: string, attempt = 1) {
  const task = taskExecutionSchema.parse({
    task_id,
    task_type: "general",
    description: "Summarise the text",
  });
  return { stall_timeout: 300, ...task, checkpoint: null, attempt };
}
