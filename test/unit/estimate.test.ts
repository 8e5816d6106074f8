import { describe, expect, it } from "vitest";

import { explainWithEstimate } from "../../src/dispatch/estimate.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { createKnownHistories } from "../../src/observe/known-histories.ts";
import type { TypeHistory } from "../../src/observe/type-history.ts";
import type { Principal } from "../../src/protocol/access.ts";
import type { TaskPhase, TaskType } from "../../src/protocol/enums.ts";
import type { Explanation } from "../../src/protocol/task-view.ts";
import { viewOf } from "../task-news.ts";

const BY: Principal = { key_id: "k", tenant: "acme", scopes: ["observe"], isBootstrap: false };

const explanation = (phase: TaskPhase): Explanation => ({
  task_id: "task-1",
  phase,
  waiting_for: [{ kind: "executor", detail: "someone" }],
  decision: null,
  unblocked_by: [],
  estimated_start: null,
});

async function estimate(history: Partial<TypeHistory> | null, phase: TaskPhase = "queued") {
  const of: TypeHistory = { runs: 10, success_rate: 1, p50_s: 12, p95_s: 40, ...history };
  const explain = explainWithEstimate({
    explain: async () => ok(explanation(phase)),
    view: async () => ok(viewOf({ task_type: "research" })),
    histories: async () =>
      new Map<TaskType, TypeHistory>(history === null ? [] : [["research", of]]),
  });
  const explained = await explain(BY, "task-1");
  if (!explained.ok) throw new Error(explained.refusal.detail);
  return explained.value.waiting_for.find(({ kind }) => kind === "estimate")?.detail ?? null;
}

describe("the estimate of a task", () => {
  it("is another one for the same task where history is another one", async () => {
    const quick = await estimate({ p50_s: 2, p95_s: 3 });
    const slow = await estimate({ p50_s: 200, p95_s: 3_000.25, success_rate: 0.5 });

    expect(quick).toContain("takes 2 s at the median and at most 3 s");
    expect(slow).toContain("takes 200 s at the median and at most 3000.3 s");
    expect(slow).toContain("50 % end well (10 runs");
  });

  it("is left out without history, with too little of it, and once there is an outcome", async () => {
    expect(await estimate(null)).toBeNull();
    expect(await estimate({ runs: 2 })).toBeNull();
    expect(await estimate({}, "finalizing")).toBeNull();
    expect(await estimate({}, "executing")).not.toBeNull();
  });

  it("does not hide why an explanation is refused", async () => {
    const refusal = { code: "task_not_found", detail: "" } as const;
    const explain = explainWithEstimate({
      explain: async () => refuse(refusal),
      view: async () => refuse(refusal),
      histories: async () => new Map(),
    });

    expect(await explain(BY, "x")).toEqual(refuse(refusal));
  });
});

describe("histories that are known", () => {
  const HISTORIES = new Map<TaskType, TypeHistory>([
    ["general", { runs: 3, success_rate: 1, p50_s: 1, p95_s: 2 }],
  ]);

  const never = () => new Promise<never>(() => {});
  const IDLE = { pause: never };

  it("are read once a minute, and go back thirty days", async () => {
    let now = Date.parse("2026-11-22T00:00:00.000Z");
    const asked: string[] = [];
    const known = createKnownHistories({
      ...IDLE,
      now: () => now,
      read: async (tenant, since) => {
        asked.push(`${tenant} ${since}`);
        return HISTORIES;
      },
    });

    await known("acme");
    now += 59_999;
    expect(await known("acme")).toBe(HISTORIES);
    now += 1;
    await known("acme");

    expect(asked).toEqual(["acme 2026-10-23T00:00:00.000Z", "acme 2026-10-23T00:01:00.000Z"]);
  });

  it("are the last ones, or none, while they can't be read", async () => {
    let now = 0;
    let isDown = true;
    const known = createKnownHistories({
      ...IDLE,
      now: () => now,
      read: () => (isDown ? Promise.reject(new Error("down")) : Promise.resolve(HISTORIES)),
    });

    expect((await known("acme")).size).toBe(0);
    [now, isDown] = [60_000, false];
    await known("acme");
    [now, isDown] = [120_000, true];

    expect(await known("acme")).toBe(HISTORIES);
  });

  it("hold nobody up: an answer has a moment, and what is known serves on", async () => {
    let now = 1_000_000;
    let reads = 0;
    const waits: number[] = [];
    const answers = [
      Promise.withResolvers<typeof HISTORIES>(),
      Promise.withResolvers<typeof HISTORIES>(),
    ];
    const known = createKnownHistories({
      ...IDLE,
      now: () => now,
      pause: async (ms) => {
        waits.push(ms);
      },
      read: async () => (await answers[reads++]?.promise) ?? HISTORIES,
    });

    expect((await known("acme")).size).toBe(0);
    answers[0]?.resolve(HISTORIES);
    await new Promise((resolve) => setTimeout(resolve));
    expect(await known("acme")).toBe(HISTORIES);
    now += 60_000;
    const [stale, still] = [await known("acme"), await known("acme")];
    // The reading behind them was cut off: it is begun again.
    now += 10_000;
    await known("acme");

    expect([stale, still]).toEqual([HISTORIES, HISTORIES]);
    expect(waits).toEqual([250, 250, 250]);
    expect(reads).toBe(3);
  });
});
