import { describe, expect, it } from "vitest";

import { assignedTaskSchema } from "../../src/protocol/agent.ts";
import { assignmentOf } from "../../src/task/answers.ts";
import { ORCHESTRATOR, ORIGIN, UNBORN, assign, live, request, stateOf } from "../task-life.ts";

/* What an executor is told of the tasks that went before its own: src/task/answers.ts. */

const MADE = {
  task_type: "general",
  status: "completed",
  end_reason: "success",
  completion_status: "success",
  result: { made: 1 },
} as const;

/** What the executor of a task gets that named these and had to wait for others. */
function assigned(previous_tasks: unknown[], ...prerequisites: string[]): unknown {
  const gates = prerequisites.map(
    (task_id) => ({ kind: "task", task_id, needs: "success" }) as const,
  );
  const life = live(
    UNBORN,
    {
      type: "submit",
      origin: { ...ORIGIN, gates },
      task: request({ context: { previous_tasks } }),
      actor: ORCHESTRATOR,
    },
    {
      type: "gates",
      news: {
        kind: "open",
        prerequisites: prerequisites.map((task_id) => ({ ...MADE, task_id })),
      },
    },
    assign(),
  );
  return assignmentOf(stateOf(life));
}

describe("tasks that went before", () => {
  it("stand as they were named, then with what those made that were waited for", () => {
    const mine = { task_id: "first", note: "mine" };

    expect(assigned(["first", "hint", mine], "first")).toMatchObject({
      context: {
        previous_tasks: ["first", "hint", mine, { task_id: "first", result: { made: 1 } }],
      },
    });
  });

  it.each([
    [100, 0, 1],
    [0, 100, 1],
    [50, 50, 100],
    [0, 51, 0],
  ])(
    "keep the schema of what executors receive: %d notes, %d named and waited for, %d dependencies",
    (noteCount, namedCount, otherCount) => {
      const notes = Array.from({ length: noteCount }, (_, index) => ({ note: index }));
      const named = Array.from({ length: namedCount }, (_, index) => `named-${index}`);
      const others = Array.from({ length: otherCount }, (_, index) => `other-${index}`);

      const received = assignedTaskSchema.parse(
        assigned([...notes, ...named], ...others, ...named),
      );

      const previous = received.context?.previous_tasks ?? [];
      expect(previous).toHaveLength(Math.min(100, noteCount + namedCount + otherCount));
      expect(previous).toEqual(
        expect.arrayContaining([...notes, ...named.map((task_id) => ({ ...MADE, task_id }))]),
      );
    },
  );

  it("leave out the last dependencies where there is no room", () => {
    const notes = Array.from({ length: 99 }, (_, index) => ({ note: index }));

    expect(assigned(notes, "first", "second")).toMatchObject({
      context: { previous_tasks: [...notes, { task_id: "first" }] },
    });
  });
});
