import { describe, expect, it } from "vitest";

import { percentile } from "../../src/lib/percentile.ts";
import { groupsOf } from "../../src/observe/figures.ts";
import { failed, run, times } from "./runs.ts";

describe("the figures of an agent", () => {
  it("are exact: rate, durations, quality, cost, tokens, questions and retries", () => {
    const runs = [
      run({ task_id: "a", duration_s: 1, quality: 1, cost_usd: 0.1, tokens: 10 }),
      run({ task_id: "b", duration_s: 2, quality: 0.5, cost_usd: 0.2, tokens: 20, attempt: 3 }),
      run({ task_id: "c", duration_s: 3, quality: null, cost_usd: 0, tokens: 30 }),
      failed("tool", { task_id: "d", duration_s: 100, attempt: 2 }),
      run({ task_id: "e", end_reason: "cancelled", duration_s: 999 }),
      run({ task_id: "f", end_reason: null, quality: null }),
      run({ task_id: "g", agent_id: "other" }),
    ];
    const questions = [{ task_id: "a" }, { task_id: "a" }, { task_id: "d" }, { task_id: "gone" }];

    const [own, other] = groupsOf(runs, "agent", questions);

    expect(own).toEqual({
      key: "agent",
      volume: 6,
      open: 1,
      runs: 4,
      cancelled: 1,
      succeeded: 3,
      success_rate: 0.75,
      duration_s: { p50: 2, p95: 100 },
      quality: 0.75,
      cost_usd: 0.33,
      tokens: 90,
      escalations: 3,
      retries: 3,
      failure_causes: [{ cause: "tool", count: 1 }],
      retry_effect: { retried: 2, success_rate_retried: 0.5, success_rate_at_once: 1 },
    });
    expect(other).toMatchObject({ key: "other", volume: 1, escalations: 0 });
  });

  it("never leave what the contract's integers hold, whatever was stored", () => {
    const huge = { tokens: Number.MAX_SAFE_INTEGER, cost_usd: 1e308 };

    const [group] = groupsOf(times(3, huge), "agent", []);

    expect(group).toMatchObject({
      tokens: Number.MAX_SAFE_INTEGER,
      cost_usd: Number.MAX_SAFE_INTEGER,
    });
  });

  it("are null where there is nothing to say", () => {
    const [group] = groupsOf([run({ end_reason: null, quality: null })], "agent", []);

    expect(group).toMatchObject({ success_rate: null, duration_s: null, quality: null });
    expect(groupsOf([], "agent", [])).toEqual([]);
  });
});

describe("the figures by hour", () => {
  it("show the pattern of a day in its order: volume, causes and what retries did", () => {
    const runs = [
      ...times(3, { created_at: "2026-11-22T14:59:59.000Z" }),
      failed("disk", { created_at: "2026-11-22T02:00:00.000Z", attempt: 3 }),
      failed("disk", { created_at: "2026-11-23T02:30:00.000Z", attempt: 2 }),
      failed("net", { created_at: "2026-11-23T02:40:00.000Z" }),
      run({ created_at: "2026-11-23T02:50:00.000Z", attempt: 2 }),
    ];

    const [night, day] = groupsOf(runs, "hour", []);

    expect(night).toMatchObject({
      key: "02",
      volume: 4,
      failure_causes: [
        { cause: "disk", count: 2 },
        { cause: "net", count: 1 },
      ],
      retry_effect: { retried: 3, success_rate_retried: 1 / 3, success_rate_at_once: 0 },
    });
    expect(day).toMatchObject({ key: "14", volume: 3, success_rate: 1 });
  });
});

describe("the figures by task type and hour", () => {
  it("keep each type's hours together, in their order", () => {
    const [night, day] = ["2026-11-22T02:00:00.000Z", "2026-11-23T14:00:00.000Z"];
    const runs = [
      ...times(3, { task_type: "testing", created_at: day }),
      failed("disk", { task_type: "testing", created_at: night, attempt: 2, duration_s: 90 }),
      run({ task_type: "research", created_at: day }),
    ];

    const groups = groupsOf(runs, "task_type_hour", []);

    expect(groups.map(({ key, volume }) => [key, volume])).toEqual([
      ["research/14", 1],
      ["testing/02", 1],
      ["testing/14", 3],
    ]);
    expect(groups[1]).toMatchObject({
      duration_s: { p50: 90, p95: 90 },
      failure_causes: [{ cause: "disk", count: 1 }],
      retry_effect: { retried: 1, success_rate_retried: 0, success_rate_at_once: null },
    });
  });
});

describe("the figures by task type", () => {
  it("put the type with the most tasks first, equals by name", () => {
    const runs = [
      run({ task_type: "testing" }),
      ...times(2, { task_type: "research" }),
      run({ task_type: "general" }),
    ];

    expect(groupsOf(runs, "task_type", []).map(({ key }) => key)).toEqual([
      "research",
      "general",
      "testing",
    ]);
  });
});

describe("a percentile", () => {
  it("is a value that occurred", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);

    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.95)).toBe(95);
    expect(percentile([7], 0.95)).toBe(7);
    expect(percentile([], 0.5)).toBeNull();
  });
});
