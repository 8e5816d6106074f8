import { describe, expect, it } from "vitest";

import { batchBody, batchRules, batchWaitMs, isBatchFull } from "../../src/delivery/batching.ts";
import { webhookBatchSchema } from "../../src/protocol/webhook.ts";

describe("the rules of batching", () => {
  it("are none where a registration says nothing, and have defaults where it says little", () => {
    expect(batchRules(null)).toBeNull();
    expect(batchRules({ max_items: 5 })).toEqual({
      maxItems: 5,
      maxWaitMs: 1_000,
      maxBytes: 262_144,
      isAdaptive: false,
    });
  });

  it.each([
    [{ items: 4, bytes: 10 }, false],
    [{ items: 5, bytes: 10 }, true],
    [{ items: 1, bytes: 2_000 }, true],
  ])("call %j full: %j", (load, isFull) => {
    const rules = batchRules({ max_items: 5, max_bytes: 2_000 });

    expect(rules !== null && isBatchFull(rules, load)).toBe(isFull);
  });
});

describe("the wait of a batch", () => {
  const rules = { maxItems: 10, maxWaitMs: 1_000, maxBytes: 1_024, isAdaptive: true };

  it("is what the registration says unless it is adaptive", () => {
    expect(batchWaitMs({ ...rules, isAdaptive: false }, 0, 1)).toBe(1_000);
  });

  it.each([
    ["a quick receiver with one to get", 0, 1, 0],
    ["a slow receiver", 500, 1, 500],
    ["a receiver slower than that", 9_000, 1, 1_000],
    ["a backlog", 0, 6, 500],
    ["a backlog of more than a batch", 0, 60, 1_000],
  ])("widens for %s", (_what, latency, items, wait) => {
    expect(batchWaitMs(rules, latency, items)).toBe(wait);
  });
});

describe("the body of a batch", () => {
  it("carries the bodies as they are, in order", () => {
    const bodies = [1, 2].map((seq) =>
      JSON.stringify({
        type: "task_progress",
        timestamp: "2026-11-22T10:00:00Z",
        data: { task_id: "t", seq, prev_seq: null, notification: { text: "ü\\n" } },
      }),
    );

    const parsed = webhookBatchSchema.parse(JSON.parse(batchBody("2026-11-22T10:00:01Z", bodies)));

    expect(parsed.data.items.map((item) => JSON.stringify(item))).toEqual(bodies);
  });
});
