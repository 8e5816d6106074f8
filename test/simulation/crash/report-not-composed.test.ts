import { expect, it, vi } from "vitest";

import { assign, end, started, submit, START } from "../../task-life.ts";
import { TaskNode } from "../task-node.ts";
import { portsOf } from "./quiet-ports.ts";

vi.mock("../../../src/task/finish/report.ts", async (original) => ({
  ...(await original<typeof import("../../../src/task/finish/report.ts")>()),
  reportOf: () => {
    throw new Error("not to be composed");
  },
}));

it("a task ends although its report cannot be composed, with the least that can be said", async () => {
  let now = START;
  const node = new TaskNode("task-1", portsOf(), () => now);
  for (const command of [submit(), assign(), started(), end("failure")]) {
    await node.keeper.apply(command);
  }
  now += 1_000;
  await node.keeper.wake({ hasAlarmFired: true });

  const final = node.log().at(-1);
  expect(final).toMatchObject({
    type: "agent_end_task",
    data: {
      reason: "failure",
      finalization: {
        outcome: "partial",
        phases: [{ outcome: "done" }, { name: "reporting", outcome: "fallback" }, {}],
      },
    },
  });
  node.object.close();
});
