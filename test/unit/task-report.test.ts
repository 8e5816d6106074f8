import { describe, expect, it } from "vitest";

import { notificationTypeSchema } from "../../src/protocol/enums.ts";
import type { EndPhaseRecord, Report } from "../../src/protocol/task-view.ts";
import { reportSchema } from "../../src/protocol/task-view.ts";
import { reportText } from "../../src/task/answers.ts";
import { reportOf } from "../../src/task/finish/report.ts";
import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  assign,
  beat,
  end,
  failed,
  finish as closing,
  later,
  live,
  notificationOf,
  notify,
  order,
  resolve,
  started,
  stateOf,
  step,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

type Finish = Parameters<typeof reportOf>[2];

const DEBT = { what: "the slot", owner: "pool default", expires_at: "2026-11-22T11:00:00.000Z" };

function phase(outcome: EndPhaseRecord["outcome"]): EndPhaseRecord {
  const passed = outcome === "done";
  return {
    name: "cleanup",
    outcome,
    started_at: "2026-11-22T10:00:00.000Z",
    ended_at: "2026-11-22T10:00:01.000Z",
    attempts: 3,
    checks: [{ name: "slot released", passed, detail: passed ? "" : "failed each time" }],
  };
}

function report(state: TaskState, now: number, finish: Partial<Finish> = {}) {
  if (state.verdict === null) throw new Error("no verdict yet");
  const made = reportOf(state, state.verdict, { phases: [], debt: [], ...finish, now });
  reportSchema.parse({ ...made, timeline: [] });
  return made;
}

function timelineOf(life: Life): Report["timeline"] {
  const text = reportText(stateOf(life), [live(life, closing).log]);
  const whole: Report["timeline"] = JSON.parse(text.ok ? text.value : "{}").timeline;
  return whole.slice(0, life.log.length);
}

/** Three attempts: one fails, one asks, one succeeds near its budget; and what their heartbeats said was used. */
function eventfulLife(): { life: Life; sent: { cost_usd: number; tokens: number } } {
  const queued = step(
    later(
      live(
        later(
          live(
            later(IN_PHASE.queued({ contract: { budget: { max_tokens: 1_100 } } }), 7),
            assign(),
            started(),
            beat({ usage: { tokens: 20, cost_usd: 0.25 } }),
          ),
          11,
        ),
        beat({ usage: { tokens: 50, cost_usd: 0.5 } }),
        failed(),
      ),
      30,
    ),
    tick,
  ).life;
  const asked = live(
    later(queued, 3),
    assign(2),
    notify(notificationOf("task_started"), "token-2"),
    beat({ usage: { tokens: 30 } }, "token-2"),
    notify(notificationOf("task_escalated"), "token-2"),
  );
  const done = live(
    later(live(later(asked, 60), resolve("resume", { answer: "the first" })), 2),
    assign(3),
    notify(notificationOf("task_started"), "token-3"),
    beat({ usage: { tokens: 850, cost_usd: 1 } }, "token-3"),
  );
  const metrics = { execution_time: 5, tokens_used: 800, cost: 0.9, quality_score: 0.9 };
  const life = live(
    later(done, 19),
    notify(notificationOf("task_completed", { metrics }), "token-3"),
  );
  return { life, sent: { cost_usd: 1.5, tokens: 930 } };
}

const reportOfLife = (life: Life) => report(stateOf(life), life.now);

describe("the report", () => {
  it("measures the life: waiting, working, attempts, retries, use", () => {
    const queued = step(
      later(live(IN_PHASE.executing(), beat({ usage: { tokens: 50 } }), failed()), 30),
      tick,
    ).life;
    const again = live(
      later(queued, 10),
      assign(2),
      notify(notificationOf("task_started"), "token-2"),
      beat({ usage: { tokens: 7, cost_usd: 0.25 } }, "token-2"),
    );
    const over = live(later(again, 20), { ...end("success"), token: "token-2" });

    expect(reportOfLife(later(over, 5)).metrics).toMatchObject({
      duration_s: 65,
      queued_s: 0,
      executing_s: 60,
      attempts: 2,
      retries: 1,
      tokens: 57,
      cost_usd: 0.25,
      notifications: 4,
    });
  });

  it("equals the recorded facts", () => {
    const { life, sent } = eventfulLife();

    const { metrics, post_mortem, quality_assessment } = reportOfLife(later(life, 5));

    const { log } = life;
    const of = (type: string) => log.filter((event) => event.type === type);
    const at = (event: LoggedEvent | undefined) => event?.at ?? Number.NaN;
    const [submission, start, verdict] = [log[0], of("task_started")[0], of("verdict")[0]];
    const isNotification = (type: string) => notificationTypeSchema.safeParse(type).success;
    expect(metrics).toEqual({
      duration_s: (life.now + 5_000 - at(submission)) / 1_000,
      queued_s: (at(start) - at(submission)) / 1_000,
      executing_s: (at(verdict) - at(start)) / 1_000,
      attempts: of("task_assigned").length,
      retries: of("retry_scheduled").filter(({ data }) => data["costs_retry"] === true).length,
      notifications: log.filter(({ type }) => isNotification(type)).length + 1,
      cost_usd: sent.cost_usd,
      tokens: sent.tokens,
      tokens_by_role: { orchestrator: 0, executor: sent.tokens },
      executor: null,
    });
    expect([metrics.attempts, metrics.retries, sent.tokens]).toEqual([3, 1, 50 + 30 + 850]);
    expect(quality_assessment).toEqual(of("verdict")[0]?.data["quality_assessment"]);
    const times = log.map((event) => new Date(event.at).toISOString());
    expect(post_mortem.map(({ class: word }) => word)).toEqual(["input", "budget_warning"]);
    expect(post_mortem.filter(({ when }) => !times.includes(when))).toEqual([]);
    expect(timelineOf(life).map(({ seq, at: when }) => [seq, when])).toEqual(
      log.map((event, index) => [event.seq, times[index]]),
    );
  });

  it("is complete where every phase is done or has nothing to do, and partial otherwise", () => {
    const life = IN_PHASE.finalizing();
    const outcomeWith = (known: Partial<Finish>) =>
      report(stateOf(life), life.now, known).finalization;

    expect(outcomeWith({ phases: [phase("done"), phase("skipped")] })).toMatchObject({
      outcome: "complete",
      problems: [],
    });
    expect(outcomeWith({ phases: [phase("fallback")] })).toMatchObject({
      outcome: "partial",
      problems: ["cleanup ended as fallback; not achieved: slot released (failed each time)"],
    });
    expect(outcomeWith({ phases: [phase("timed_out")] }).outcome).toBe("partial");
    expect(outcomeWith({ debt: [DEBT] })).toMatchObject({
      outcome: "partial",
      problems: ["left undone: the slot, which pool default has until 2026-11-22T11:00:00.000Z"],
      recommendations: ["See that pool default is rid of what was left: the slot"],
    });
  });

  it("is written of odd states too", () => {
    const life = live(IN_PHASE.executing(), end("failure"));
    const state = stateOf(life);
    const incident = { what: "", class: "", effect: "", action: "", awaits: null, isFatal: false };
    const odd: TaskState = {
      ...state,
      started_at: state.created_at - 5,
      incidents: [
        { ...incident, at: Number.NaN, names: [] },
        { ...incident, at: 1e20, names: [], run: { seconds: 0, percentage: null } },
        { ...incident, at: 0, class: "attempt_timeout", names: [] },
        { ...incident, at: 0, class: "constructor", names: [] },
        { ...incident, at: 0, class: "budget_exceeded", what: "tokens", names: [] },
      ],
    };

    expect(report(odd, state.created_at - 100)).toMatchObject({
      metrics: { duration_s: 0, queued_s: 0 },
    });
  });

  it("takes in the executor's own figures, judgement and next actions", () => {
    const metrics = {
      start_time: "2026-11-22T10:00:00Z",
      end_time: "2026-11-22T10:00:05Z",
      duration_seconds: 5,
      api_calls_made: 3,
    };
    const life = live(
      IN_PHASE.executing(),
      end("failure", {
        execution_metrics: metrics,
        quality_assessment: { overall_score: 0.2 },
        next_actions: { escalation_needed: true },
      }),
    );

    expect(reportOfLife(life)).toMatchObject({
      metrics: { executor: metrics },
      quality_assessment: { overall_score: 0.2 },
      next_actions: { escalation_needed: true },
    });
  });

  it("of a task that never ran has no execution time", () => {
    const life = live(later(IN_PHASE.queued(), 9), order("cancel"));

    expect(reportOfLife(life)).toMatchObject({
      reason: "cancelled",
      completion_status: "cancelled",
      metrics: { duration_s: 9, queued_s: null, executing_s: null, attempts: 0 },
      post_mortem: [],
    });
  });

  it("is readable after the end only, with the log as its timeline", () => {
    const [early, late] = [IN_PHASE.finalizing(), IN_PHASE.ended()];

    expect(reportText(stateOf(early), [early.log])).toMatchObject({
      refusal: { code: "report_not_ready" },
    });
    const text = reportText(stateOf(late), [late.log.slice(0, 4), late.log.slice(4)]);
    const { timeline } = JSON.parse(text.ok ? text.value : "{}");
    expect(timeline.map(({ seq }: { seq: number }) => seq)).toEqual(late.log.map(({ seq }) => seq));
  });
});
