import { describe, expect, it } from "vitest";

import type { EndpointConfig } from "../../src/delivery/endpoint-config.ts";
import {
  deliveryView,
  type DeliveryRow,
  type RowSurroundings,
} from "../../src/delivery/endpoint/delivery-row.ts";
import { deliveryViewSchema } from "../../src/protocol/webhook.ts";
import { deliveryRow } from "../delivery-row.ts";
import { endpointConfig } from "../endpoint-config.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const NAME = "0123456789ABCDEFGHIJkl";

const ROW = deliveryRow({
  source: "t-1",
  seq: 4,
  position: NOW * 1_000 + 17,
  type: "task_failed",
  priority: 2,
  prev_seq: 2,
});

const CONFIG = endpointConfig({ webhook_id: `wh_${NAME}` });

const OPEN_GATE = { pausedUntil: 0, rateAt: 0, leastPriority: 0, trickleAt: 0, probeAt: null };

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
  around: Partial<RowSurroundings["gate"]> & { isInFlight?: boolean; isBehind?: boolean } = {},
) {
  const { isInFlight = false, isBehind = false, ...gate } = around;
  const config = { ...CONFIG, state };
  return deliveryView(
    { ...ROW, ...row },
    { config, gate: { ...OPEN_GATE, ...gate }, isInFlight, isBehind, now: NOW + 10 },
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
    ["endpoint_paused", {}, "paused", {}],
    ["endpoint_disabled", {}, "disabled", {}],
    ["endpoint_deleted", { state: "cancelled" }, "deleted", {}],
    ["endpoint_gone", { state: "cancelled", last_attempt: GONE }, "disabled", {}],
    ["retry_after", {}, "active", { pausedUntil: NOW + 1_000 }],
    ["retry", { attempts: 2, due: NOW + 5 * 60_000 }, "active", {}],
    ["rate_limit", {}, "active", { rateAt: NOW + 100 }],
    ["lane", {}, "active", { isBehind: true }],
    ["breaker_open", {}, "active", { probeAt: NOW + 30_000 }],
    ["retry", { attempts: 1, due: NOW + 60_000 }, "active", { probeAt: NOW + 30_000 }],
    ["breaker_restricted", { priority: 1 }, "active", { leastPriority: 2, trickleAt: NOW + 500 }],
    [null, { priority: 2 }, "active", { leastPriority: 2, trickleAt: NOW + 500 }],
    [null, { state: "delivered" }, "active", {}],
  ] as const)("says why it is late: %s", (reason, row, state, around) => {
    expect(view(row, state, around).delay_reason).toBe(reason);
  });

  it("is known by the id of the batch that carried it", () => {
    expect(view({ batch_id: "msg_batch_1" }).message_id).toBe("msg_batch_1");
  });
});
