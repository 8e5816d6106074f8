import { describe, expect, it } from "vitest";

import type { Runs } from "../../src/observe/findings.ts";
import { insightsOf, type Surroundings } from "../../src/observe/insights.ts";
import type { Run } from "../../src/observe/run.ts";
import { failed, run, times, timesFailed } from "./runs.ts";

/** Nothing asked, no endpoint in trouble, no forecast. */
const STILL: Surroundings = { open: [], changes: [], forecast: null, areAllRuns: true };
const NOW = Date.parse("2026-11-22T12:00:00.000Z");

/** A day on which nothing stands out: three agents, two types, one failure in twenty. */
function quiet(changes: Partial<Run> = {}): Run[] {
  return ["a", "b", "c"].flatMap((agent_id) =>
    (["general", "research"] as const).flatMap((task_type) => [
      ...times(19, { agent_id, task_type, ...changes }),
      failed(`cause-${agent_id}-${task_type}`, { agent_id, task_type, ...changes }),
    ]),
  );
}

const rulesOf = (runs: Runs) =>
  insightsOf(runs, STILL, NOW).map(({ rule, subject }) => `${rule} ${subject.id}`);
const firstOf = (runs: Runs) => insightsOf(runs, STILL, NOW)[0];

describe("insights", () => {
  it("are none without data, and none where nothing stands out", () => {
    expect(insightsOf({ now: [], past: [] }, STILL, NOW)).toEqual([]);
    expect(rulesOf({ now: quiet(), past: quiet() })).toEqual([]);
  });

  it("begin with the agent that fails more than it did before, with its numbers", () => {
    const bad = [
      ...timesFailed(24, "tool", { agent_id: "bad", task_type: "research" }),
      ...times(16, { agent_id: "bad", task_type: "research" }),
    ];
    const good = times(60, { agent_id: "bad", task_type: "research" });

    const found = insightsOf(
      { now: [...quiet(), ...bad], past: [...quiet(), ...good] },
      STILL,
      NOW,
    );

    expect(found[0]).toMatchObject({
      rule: "failure_rate_risen",
      severity: "error",
      subject: { kind: "agent", id: "bad" },
      evidence: { runs: 40, failure_rate: 0.6, past_runs: 60, past_failure_rate: 0 },
    });
    // It is the agent and not the type: without it research is as it was.
    expect(found.map(({ subject }) => subject.id)).not.toContain("research");
  });

  it("name the type when all who run it fail", () => {
    const spoilt = (agent_id: string) => [
      ...timesFailed(12, `cause-${agent_id}`, { agent_id, task_type: "testing" }),
      ...times(8, { agent_id, task_type: "testing" }),
    ];
    const sound = ["a", "b"].flatMap((agent_id) => times(20, { agent_id, task_type: "testing" }));

    const found = firstOf({ now: [...spoilt("a"), ...spoilt("b")], past: sound });

    expect(found).toMatchObject({
      rule: "failure_rate_risen",
      subject: { kind: "task_type", id: "testing" },
    });
  });

  it("do not take a small number for a rise", () => {
    const now = [...timesFailed(3, "tool", { agent_id: "d" }), ...times(6, { agent_id: "d" })];

    expect(rulesOf({ now, past: times(50, { agent_id: "d" }) })).toEqual([]);
  });

  it("find an agent that is slow against its peers for the same type", () => {
    const slow = times(12, { agent_id: "slow", task_type: "research", duration_s: 45 });

    expect(firstOf({ now: [...quiet(), ...slow], past: [] })).toMatchObject({
      rule: "slow_agent",
      subject: { kind: "agent", id: "slow" },
      evidence: { task_type: "research", runs: 12, p50_s: 45, peers_runs: 60, peers_p50_s: 10 },
    });
  });

  it("find the cause that most failures have", () => {
    const now = [...quiet(), ...timesFailed(18, "disk_full", { agent_id: "a" })];

    expect(firstOf({ now, past: [] })).toMatchObject({
      rule: "dominant_failure_cause",
      subject: { kind: "failure_cause", id: "disk_full" },
      evidence: { failures: 24, of_this_cause: 18, share: 0.75 },
    });
  });

  it("find retries that never help", () => {
    const now = [
      ...quiet(),
      ...Array.from({ length: 12 }, (_, index) =>
        failed(`cause-${index}`, { task_type: "testing", attempt: 3 }),
      ),
    ];

    expect(firstOf({ now, past: [] })).toMatchObject({
      rule: "retries_never_help",
      subject: { kind: "task_type", id: "testing" },
      evidence: { retried: 12, retries: 24, succeeded: 0, success_rate: 0 },
    });
  });

  it("find missing capacity in tasks that nobody started in time", () => {
    const untaken = Array.from({ length: 7 }, () =>
      run({
        task_type: "research",
        agent_id: null,
        end_reason: "timeout",
        started_at: null,
        cause: "queue_timeout",
      }),
    );

    expect(firstOf({ now: [...quiet(), ...untaken], past: [] })).toMatchObject({
      rule: "capacity_missing",
      subject: { kind: "task_type", id: "research" },
      evidence: { runs: 67, never_started: 7 },
    });
  });

  it("find tasks that cost a multiple of the others", () => {
    const now = [...quiet(), run({ task_type: "research", cost_usd: 5 })];

    expect(firstOf({ now, past: [] })).toMatchObject({
      rule: "cost_outliers",
      subject: { kind: "task_type", id: "research" },
      evidence: { outliers: 1, median_usd: 0.01, largest_usd: 5 },
    });
  });

  it("find questions that wait for more than an hour", () => {
    const asked = (minutesAgo: number) => ({
      task_id: "t",
      state: "open",
      created_at: new Date(NOW - minutesAgo * 60_000).toISOString(),
      deadline: null,
    });

    expect(insightsOf({ now: [], past: [] }, { ...STILL, open: [asked(59)] }, NOW)).toEqual([]);
    expect(
      insightsOf(
        { now: [], past: [] },
        { ...STILL, open: [asked(61), asked(90), asked(1)] },
        NOW,
      )[0],
    ).toMatchObject({
      rule: "escalations_waiting",
      evidence: { open: 3, waiting_over_1h: 2, oldest_wait_s: 5_400 },
    });
  });

  it("find a problem that five tasks had, also where retries hid it", () => {
    const troubles = (remedy: string) => ({ troubles: [{ class: "tool", remedy }] });
    const now = [
      ...quiet(),
      ...times(3, { ...troubles("Retried"), agent_id: "a" }),
      run({ ...troubles("Retried"), agent_id: "b", task_type: "research" }),
      failed("other", { ...troubles("Ended"), agent_id: "b" }),
    ];
    const of = (runs: Run[]) =>
      insightsOf({ now: runs, past: [] }, STILL, NOW).filter(
        ({ rule }) => rule === "recurring_cause",
      );

    expect(of(now)).toEqual([
      {
        rule: "recurring_cause",
        severity: "info",
        subject: { kind: "failure_cause", id: "tool" },
        title: "5 of 125 tasks had the problem tool, and 4 of them succeeded nonetheless",
        evidence: {
          ended: 125,
          tasks: 5,
          share: 0.04,
          task_types: "general 4, research 1",
          agents: "a 3, b 2",
          effect: "failed 1, succeeded 4, cancelled 0",
          action: "Retried 4, Ended 1",
        },
        score: 1.5,
      },
    ]);
    expect(of(now.slice(0, -1))).toEqual([]);
  });

  it("do not tell of a cause a second time that most failures have", () => {
    const now = [...quiet(), ...timesFailed(18, "disk_full", { agent_id: "a" })];

    expect(rulesOf({ now, past: [] })).toEqual(["dominant_failure_cause disk_full"]);
  });

  it("are the same list whatever the order of the runs", () => {
    const now = [...quiet(), ...timesFailed(18, "disk_full", { agent_id: "a" })];

    expect(insightsOf({ now: now.toReversed(), past: quiet() }, STILL, NOW)).toEqual(
      insightsOf({ now, past: quiet() }, STILL, NOW),
    );
  });
});
