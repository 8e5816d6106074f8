import { describe, expect, it } from "vitest";

import { deliveryPriority } from "../../src/delivery/delivery-priority.ts";

describe("the priority of a delivery", () => {
  it.each([
    ["low", "task_progress", "low"],
    ["low", "task_started", "normal"],
    ["normal", "task_progress", "normal"],
    ["normal", "task_completed", "normal"],
    ["normal", "task_failed", "high"],
    ["low", "task_escalated", "high"],
    ["critical", "task_progress", "critical"],
    ["critical", "task_failed", "critical"],
    ["high", "agent_end_task", "high"],
  ] as const)("of a %s task's %s is %s", (task, type, expected) => {
    expect(deliveryPriority(task, { type, data: {} })).toBe(expected);
  });

  it.each([
    ["normal", "success", "normal"],
    ["normal", "cancelled", "normal"],
    ["normal", "failure", "high"],
    ["low", "timeout", "high"],
    ["normal", "resource_exhausted", "high"],
    ["normal", "escalated", "high"],
    ["critical", "failure", "critical"],
    ["low", "never heard of", "normal"],
  ] as const)("of the end of a %s task with reason %s is %s", (task, reason, expected) => {
    expect(deliveryPriority(task, { type: "agent_end_task", data: { reason } })).toBe(expected);
  });
});
