/** A typical task, with what people use of it. */
export const TYPICAL_TASK = {
  task_type: "general",
  description: "A task of the bench that says in a sentence or two what is to be done, and how",
  priority: "high",
  requires: { capabilities: ["bench"], labels: { region: "eu" } },
  parameters: { input_data: { text: "x".repeat(600) } },
  execution_options: { retry_policy: { max_retries: 1 } },
  tags: ["bench", "edge"],
  metadata: { customer: "c-1" },
};
