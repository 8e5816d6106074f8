import { describe, expect, it } from "vitest";

import type { EndpointConfig } from "../../src/delivery/endpoint-config.ts";
import { deliveryView, type DeliveryRow } from "../../src/delivery/endpoint/delivery-row.ts";
import { deliveryViewSchema } from "../../src/protocol/webhook.ts";
import { endpointConfig } from "../endpoint-config.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const NAME = "0123456789ABCDEFGHIJkl";

const ROW: DeliveryRow = {
  source: "t-1",
  seq: 4,
  position: NOW * 1_000 + 17,
  type: "task_failed",
  priority: 2,
  state: "open",
  attempts: 0,
  tries: 0,
  due: null,
  replay_at: null,
  prev_seq: 2,
  correlation_id: "",
  delivered_at: null,
  last_attempt: null,
};

const CONFIG = endpointConfig({ webhook_id: `wh_${NAME}` });

const GONE = JSON.stringify({
  attempt: 1,
  trigger: "scheduled",
  due_at: "2026-11-22T10:00:00.000Z",
  started_at: "2026-11-22T10:00:00.000Z",
  duration_ms: 5,
  status_code: 410,
  error_class: "gone",
  response_body: null,
  level: 0,
});

function view(
  row: Partial<DeliveryRow> = {},
  state: EndpointConfig["state"] = "active",
  around: { pausedUntil?: number; isInFlight?: boolean } = {},
) {
  const config = { ...CONFIG, state };
  return deliveryView(
    { ...ROW, ...row },
    { config, pausedUntil: 0, isInFlight: false, now: NOW + 10, ...around },
  );
}

describe("a delivery as the contract shows it", () => {
  it("has every field of the contract", () => {
    expect(deliveryViewSchema.parse(view())).toEqual({
      delivery_id: `dlv_wh${NAME}_4_t-1`,
      webhook_id: `wh_${NAME}`,
      message_id: `msg_wh${NAME}_4_t-1`,
      task_id: "t-1",
      seq: 4,
      prev_seq: 2,
      type: "task_failed",
      priority: "high",
      state: "pending",
      attempts_made: 0,
      next_attempt_at: "2026-11-22T10:00:00.000Z",
      created_at: "2026-11-22T10:00:00.000Z",
      delivered_at: null,
      delay_reason: null,
    });
  });

  it("has neither task nor seq where there is no task", () => {
    expect(view({ source: "test1", seq: 0, prev_seq: null })).toMatchObject({
      task_id: null,
      seq: null,
    });
  });

  it.each([
    ["pending", {}, "active", {}],
    ["delivering", {}, "active", { isInFlight: true }],
    ["retrying", { attempts: 1, due: NOW + 60_000 }, "active", {}],
    ["held", {}, "paused", {}],
    ["held", { attempts: 1, due: NOW }, "disabled", {}],
    ["delivered", { state: "delivered", delivered_at: NOW }, "paused", {}],
    ["exhausted", { state: "exhausted" }, "active", {}],
    ["cancelled", { state: "cancelled" }, "deleted", {}],
    ["pending", { state: "exhausted", replay_at: NOW }, "paused", {}],
  ] as const)("is %s", (state, row, endpoint, around) => {
    expect(view(row, endpoint, around).state).toBe(state);
  });

  it.each([
    ["its due time", { attempts: 1, due: NOW + 60_000 }, 0, "2026-11-22T10:01:00.000Z"],
    ["the end of a pause", {}, NOW + 120_000, "2026-11-22T10:02:00.000Z"],
    ["nothing, when it is delivered", { state: "delivered" }, 0, null],
  ] as const)("waits for %s", (_what, row, pausedUntil, expected) => {
    expect(view(row, "active", { pausedUntil }).next_attempt_at).toBe(expected);
  });

  it.each([
    ["endpoint_paused", {}, "paused", 0],
    ["endpoint_disabled", {}, "disabled", 0],
    ["endpoint_deleted", { state: "cancelled" }, "deleted", 0],
    ["endpoint_gone", { state: "cancelled", last_attempt: GONE }, "disabled", 0],
    ["retry_after", {}, "active", NOW + 1_000],
    ["retry", { attempts: 2, due: NOW + 5 }, "active", 0],
    [null, { state: "delivered" }, "active", 0],
  ] as const)("says why it is late: %s", (reason, row, state, pausedUntil) => {
    expect(view(row, state, { pausedUntil }).delay_reason).toBe(reason);
  });
});
