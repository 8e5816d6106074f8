import { describe, expect, it } from "vitest";

import { deliveryId, messageId, parseDeliveryId } from "../../src/delivery/delivery-id.ts";

const NAME = "0123456789ABCDEFGHIJkl";

const KEYS = [
  { webhook_id: `wh_${NAME}`, source: "task-1", seq: 7 },
  { webhook_id: `cb_${NAME}`, source: "a_b_3_c", seq: 123_456 },
  { webhook_id: `wh_${NAME}`, source: "_", seq: 1 },
  { webhook_id: `wh_${NAME}`, source: "test0Ab", seq: 0 },
  { webhook_id: `wh_${NAME}`, source: "x".repeat(100), seq: 2 },
];

describe("delivery ids", () => {
  it.each(KEYS)("give back $webhook_id, $source and $seq", (key) => {
    expect(parseDeliveryId(deliveryId(key))).toEqual(key);
  });

  it.each(["", "dlv_", "dlv_wh_1_t", `dlv_wh${NAME}_x_t`, `msg_wh${NAME}_1_t`, `dlv_wh${NAME}_1_`])(
    "are not %s",
    (text) => {
      expect(parseDeliveryId(text)).toBeNull();
    },
  );
});

describe("message ids", () => {
  it("differ between deliveries and hold no full stop", () => {
    const ids = KEYS.map((key) => messageId(key));

    expect(new Set(ids).size).toBe(KEYS.length);
    expect(ids.filter((id) => id.includes("."))).toEqual([]);
    expect(ids[0]).toBe(`msg_wh${NAME}_7_task-1`);
  });
});
