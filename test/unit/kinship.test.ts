import { describe, expect, it } from "vitest";

import { gatesFor } from "../../src/dispatch/kinship.ts";
import { taskExecutionSchema } from "../../src/protocol/task-execution.ts";

describe("the gates of a task", () => {
  it("are as strict as the strictest who wants them: a child is not let go before its parent", () => {
    const task = taskExecutionSchema.parse({
      task_type: "testing",
      description: "Test what was built",
      parameters: { dependencies: ["a", "b"], on_failed_dependency: "continue" },
    });
    const others = [{ kind: "task", task_id: "a", needs: "success" } as const];

    expect(gatesFor(task, { inferred: ["b"], others })).toEqual([
      { kind: "task", task_id: "a", needs: "success" },
      { kind: "task", task_id: "b", needs: "end" },
    ]);
  });
});
