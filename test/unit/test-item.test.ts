import { describe, expect, it } from "vitest";

import { enqueueItemSchema } from "../../src/delivery/endpoint-config.ts";
import { testItem } from "../../src/delivery/endpoint/test-item.ts";

describe("the notification of a test call", () => {
  it("is an alert of severity info that belongs to no task", () => {
    const item = testItem("0Ab", 0);

    expect(enqueueItemSchema.parse(item)).toEqual(item);
    expect(item).toMatchObject({ type: "system_alert", task_id: null, seq: null });
    expect(JSON.parse(item.notification)).toMatchObject({ severity: "info" });
  });
});
