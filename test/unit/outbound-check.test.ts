import { describe, expect, it } from "vitest";

import { outboundOf } from "../../src/delivery/outbound-check.ts";
import type { NotificationType } from "../../src/protocol/enums.ts";

const PROGRESS = {
  notification_id: "n1",
  notification_type: "task_progress",
  task_id: "t1",
  agent_id: "a1",
  timestamp: "2026-11-22T10:00:00Z",
  status: "running",
  data: { progress_percentage: 50, current_step: "half" },
};

const AT = "2026-11-22T10:00:00.000Z";

function leaving(type: NotificationType, data: Record<string, unknown>) {
  return outboundOf(type, {
    event_id: "evt_1_7",
    at: AT,
    data,
    source: { task_id: "t1", seq: 7 },
  });
}

const ALERT = {
  alert_id: "a-1",
  severity: "error",
  title: "An endpoint is down",
  detail: "It answered 500 to the last 20 requests.",
  evidence: { failures: 20 },
};

describe("what leaves by webhook", () => {
  it("leaves as it is when it keeps its schema", () => {
    const outbound = leaving("task_progress", PROGRESS);

    expect(outbound).toEqual({ notification: PROGRESS, faults: [] });
  });

  it.each([
    ["a field that nobody declared", { ...PROGRESS, lease_token: "secret" }, "/"],
    [
      "a value out of its range",
      { ...PROGRESS, data: { progress_percentage: 101, current_step: "x" } },
      "/data/progress_percentage",
    ],
    ["a missing field", { ...PROGRESS, agent_id: undefined }, "/agent_id"],
  ])("is replaced by a safe notice when it has %s", (_what, data, pointer) => {
    const outbound = leaving("task_progress", data);

    expect(outbound.faults.map((fault) => fault.pointer)).toEqual([pointer]);
    expect(outbound.notification).toMatchObject({
      notification_type: "task_progress",
      task_id: "t1",
    });
    expect(JSON.stringify(outbound.notification)).not.toContain("secret");
  });

  it("holds the final report to its schema too", () => {
    const outbound = leaving("agent_end_task", { task_id: "t1" });

    expect(outbound.faults.length).toBeGreaterThan(3);
  });

  it("says where to read what was withheld, if there is such a place", () => {
    const broken = { ...ALERT, severity: "loud" };

    const ofTask = leaving("task_progress", {});
    const ofNone = outboundOf("system_alert", {
      event_id: "a-1",
      at: AT,
      data: broken,
      source: null,
    });

    expect(ofTask.notification["notice"]).toContain("/v1/tasks/t1/events?after=6");
    expect(ofNone).toMatchObject({
      faults: [{ pointer: "/severity" }],
      notification: { notification_id: "a-1", notification_type: "system_alert", timestamp: AT },
    });
    expect(ofNone.notification).not.toHaveProperty("task_id");
  });

  it("lets a sound alert pass, and never the secret of an executor", () => {
    const agent = { agent_id: "a1", secret: "whsec_x" };

    expect(leaving("system_alert", ALERT)).toEqual({ notification: ALERT, faults: [] });
    expect(JSON.stringify(leaving("agent_status", agent).notification)).not.toContain("whsec_");
  });
});
