import { describe, expect, it } from "vitest";

import { enqueueItemSchema } from "../../src/delivery/endpoint-config.ts";

const ITEM = {
  task_id: "t-1",
  seq: 2,
  event_id: "t-1:2",
  type: "task_started",
  priority: "normal",
  at: "2026-11-22T10:00:00.000Z",
  correlation_id: "",
  notification: "{}",
};

describe("a notification for an endpoint", () => {
  it("belongs to a task and has a seq, or neither", () => {
    const good = [ITEM, { ...ITEM, task_id: null, seq: null, event_id: "alert-1" }];
    const bad = [
      { ...ITEM, seq: null },
      { ...ITEM, task_id: null },
      { ...ITEM, seq: 0 },
    ];

    expect(good.map((item) => enqueueItemSchema.safeParse(item).success)).toEqual([true, true]);
    expect(bad.map((item) => enqueueItemSchema.safeParse(item).success)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("keeps a full stop out of the webhook-id", () => {
    const item = { ...ITEM, task_id: null, seq: null, event_id: "alert.1" };

    expect(enqueueItemSchema.safeParse(item).success).toBe(false);
  });
});
