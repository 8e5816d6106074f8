import { describe, expect, it } from "vitest";

import { subscribedTypes } from "../../src/delivery/registry/subscriptions.ts";
import { notificationTypeSchema } from "../../src/protocol/enums.ts";

const LIFECYCLE = [
  "task_started",
  "task_progress",
  "task_completed",
  "task_failed",
  "task_escalated",
  "agent_end_task",
];

describe("what a registration's events mean", () => {
  it.each([
    [["all"], notificationTypeSchema.options],
    [["task_lifecycle"], LIFECYCLE],
    [["agent_status"], ["agent_status"]],
    [["system_event"], ["system_alert"]],
    [["error_event"], ["task_failed", "task_escalated", "system_alert"]],
    [["performance_metric"], []],
    [["task_progress"], ["task_progress"]],
    [
      ["task_failed", "error_event", "task_started"],
      ["task_started", "task_failed", "task_escalated", "system_alert"],
    ],
  ] as const)("%s", (events, types) => {
    expect(subscribedTypes(events)).toEqual(types);
  });
});
