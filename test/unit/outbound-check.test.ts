import { describe, expect, it } from "vitest";

import { outboundOf } from "../../src/delivery/outbound-check.ts";
import type { TaskEvent } from "../../src/protocol/task-view.ts";

const PROGRESS = {
  notification_id: "n1",
  notification_type: "task_progress",
  task_id: "t1",
  agent_id: "a1",
  timestamp: "2026-11-22T10:00:00Z",
  status: "running",
  data: { progress_percentage: 50, current_step: "half" },
};

function event(type: TaskEvent["type"], data: Record<string, unknown>): TaskEvent {
  return {
    seq: 7,
    event_id: "evt_1_7",
    type,
    at: "2026-11-22T10:00:00.000Z",
    actor: { kind: "executor", id: "a1" },
    correlation_id: "trace",
    data,
  };
}

describe("what leaves by webhook", () => {
  it("leaves as it is when it keeps its schema", () => {
    const outbound = outboundOf("task_progress", event("task_progress", PROGRESS), "t1");

    expect(outbound).toEqual({ notification: PROGRESS, faults: [] });
  });

  it.each([
    ["a field that nobody declared", { ...PROGRESS, lease_token: "secret" }, ""],
    [
      "a value out of its range",
      { ...PROGRESS, data: { progress_percentage: 101, current_step: "x" } },
      "/data/progress_percentage",
    ],
    ["a missing field", { ...PROGRESS, agent_id: undefined }, "/agent_id"],
  ])("is replaced by a safe notice when it has %s", (_what, data, pointer) => {
    const outbound = outboundOf("task_progress", event("task_progress", data), "t1");

    expect(outbound.faults).toEqual([pointer]);
    expect(outbound.notification).toMatchObject({
      notification_type: "task_progress",
      task_id: "t1",
    });
    expect(JSON.stringify(outbound.notification)).not.toContain("secret");
  });

  it("holds the final report to its schema too", () => {
    const outbound = outboundOf("agent_end_task", event("agent_end_task", { task_id: "t1" }), "t1");

    expect(outbound.faults.length).toBeGreaterThan(3);
  });
});
