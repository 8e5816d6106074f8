import { describe, expect, it } from "vitest";

import type { DeliveryRow } from "../../src/delivery/endpoint/delivery-row.ts";
import { settle, type SendReport } from "../../src/delivery/endpoint/settle.ts";
import { attemptSchema } from "../../src/protocol/webhook.ts";
import { deliveryRow } from "../delivery-row.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const RULES = { retry_policy: { schedule: [10, 100] }, final_statuses: [404] };

const FRESH = deliveryRow({ seq: 4, position: (NOW - 5_000) * 1_000, type: "task_started" });

function report(changes: Partial<SendReport> = {}): SendReport {
  return {
    status_code: 200,
    fault: null,
    response_body: "",
    retry_after: null,
    started_at: NOW,
    ended_at: NOW + 120,
    isManual: false,
    isProbe: false,
    level: 0,
    ...changes,
  };
}

function lastAttempt(row: DeliveryRow) {
  return attemptSchema.parse(JSON.parse(row.last_attempt ?? "null"));
}

describe("the outcome of an attempt", () => {
  it("is delivered on a success", () => {
    const { row, isGone, pauseUntil } = settle(FRESH, report(), RULES, 0);

    expect(row).toMatchObject({
      state: "delivered",
      attempts: 1,
      due: null,
      delivered_at: NOW + 120,
    });
    expect([isGone, pauseUntil]).toEqual([false, null]);
  });

  it("records every field of the attempt", () => {
    const answer = report({ status_code: 503, response_body: "busy" });

    const { row } = settle(FRESH, answer, RULES, 0);

    expect(lastAttempt(row)).toEqual({
      attempt: 1,
      trigger: "scheduled",
      due_at: "2026-11-22T09:59:55.000Z",
      started_at: "2026-11-22T10:00:00.000Z",
      duration_ms: 120,
      status_code: 503,
      error_class: "server_error",
      response_body: "busy",
      level: 0,
    });
  });

  it("waits for the schedule from the end of the attempt, with jitter on top", () => {
    const failed = report({ status_code: 500 });

    const due = [0, 0.5].map((random) => settle(FRESH, failed, RULES, random).row.due);

    expect(due).toEqual([NOW + 120 + 10_000, NOW + 120 + 11_000]);
  });

  it("goes through the schedule and ends exhausted, with the due time of each on record", () => {
    const failed = report({ status_code: null, fault: "timeout" });

    const first = settle(FRESH, failed, RULES, 0).row;
    const second = settle(first, failed, RULES, 0).row;
    const third = settle(second, failed, RULES, 0).row;

    expect([first.state, second.state, third.state]).toEqual(["open", "open", "exhausted"]);
    expect(third).toMatchObject({ attempts: 3, due: null });
    expect(lastAttempt(second)).toMatchObject({
      attempt: 2,
      trigger: "retry",
      due_at: new Date(first.due ?? 0).toISOString(),
      status_code: null,
      error_class: "timeout",
    });
  });

  it("is exhausted at once on a status that the registration calls final", () => {
    expect(settle(FRESH, report({ status_code: 404 }), RULES, 0).row.state).toBe("exhausted");
  });

  it("is cancelled on 410, which tells that the endpoint is gone", () => {
    const { row, isGone } = settle(FRESH, report({ status_code: 410 }), RULES, 0);

    expect([row.state, isGone]).toEqual(["cancelled", true]);
  });

  it.each([429, 503])(
    "pauses the endpoint as long as a %i asks, and waits as long itself",
    (status_code) => {
      const busy = report({ status_code, retry_after: "3600" });

      const { row, pauseUntil } = settle(FRESH, busy, RULES, 0);

      expect(pauseUntil).toBe(NOW + 120 + 3_600_000);
      expect(row.due).toBe(NOW + 120 + 3_600_000);
    },
  );

  it("never retries before the schedule because Retry-After is short", () => {
    const busy = report({ status_code: 503, retry_after: "1" });

    expect(settle(FRESH, busy, RULES, 0).row.due).toBe(NOW + 120 + 10_000);
  });

  it("does not pause the endpoint on another status", () => {
    const answer = report({ status_code: 500, retry_after: "3600" });

    expect(settle(FRESH, answer, RULES, 0).pauseUntil).toBeNull();
  });
});

describe("the outcome of a replay", () => {
  const manual = (status_code: number) => report({ status_code, isManual: true });

  it("leaves the schedule as it was when it fails", () => {
    const waiting = { ...FRESH, attempts: 1, tries: 1, due: NOW + 9_000, replay_at: NOW - 1_000 };

    const { row } = settle(waiting, manual(500), RULES, 0);

    expect(row).toMatchObject({ state: "open", attempts: 2, tries: 1, due: NOW + 9_000 });
    expect(row.replay_at).toBeNull();
    expect(lastAttempt(row)).toMatchObject({
      trigger: "manual",
      due_at: "2026-11-22T09:59:59.000Z",
    });
  });

  it.each(["exhausted", "cancelled", "open"] as const)("delivers one that was %s", (state) => {
    const row = { ...FRESH, state, attempts: 3, tries: 3, replay_at: NOW };

    expect(settle(row, manual(200), RULES, 0).row).toMatchObject({ state: "delivered", due: null });
  });

  it.each(["exhausted", "cancelled", "delivered"] as const)(
    "leaves one %s when it fails",
    (state) => {
      const row = { ...FRESH, state, attempts: 3, tries: 3, replay_at: NOW };

      expect(settle(row, manual(500), RULES, 0).row).toMatchObject({ state, attempts: 4 });
    },
  );

  it("keeps the instant of the first success", () => {
    const row = {
      ...FRESH,
      state: "delivered" as const,
      attempts: 1,
      delivered_at: 5,
      replay_at: NOW,
    };

    expect(settle(row, manual(200), RULES, 0).row.delivered_at).toBe(5);
  });

  it("keeps a wish for a replay that came while a scheduled attempt was under way", () => {
    const row = { ...FRESH, replay_at: NOW + 50 };

    expect(settle(row, report({ status_code: 500 }), RULES, 0).row.replay_at).toBe(NOW + 50);
  });
});

describe("an attempt whose endpoint was deleted meanwhile", () => {
  it("leaves the delivery cancelled, and on record", () => {
    const row = { ...FRESH, state: "cancelled" as const };

    const settled = settle(row, report({ status_code: 500 }), RULES, 0).row;

    expect(settled).toMatchObject({ state: "cancelled", attempts: 1, due: null });
  });
});
