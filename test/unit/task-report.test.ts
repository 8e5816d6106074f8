import { describe, expect, it } from "vitest";

import { reportSchema } from "../../src/protocol/task-view.ts";
import { reportText } from "../../src/task/answers.ts";
import { reportOf } from "../../src/task/finish/report.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  assign,
  beat,
  end,
  failed,
  later,
  live,
  notificationOf,
  notify,
  order,
  stateOf,
  step,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const NO_PHASES = { phases: [], debt: [] };

function report(state: TaskState, now: number) {
  if (state.verdict === null) throw new Error("no verdict yet");
  const made = reportOf(state, state.verdict, { ...NO_PHASES, now });
  reportSchema.parse({ ...made, timeline: [] });
  return made;
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

  it("says what went wrong, when, of what kind, and what was done", () => {
    const life = live(
      IN_PHASE.executing({ execution_options: { retry_policy: { max_retries: 0 } } }),
      failed(),
    );

    expect(reportOfLife(life).post_mortem).toMatchObject([
      { what: "Attempt 1 failed: The text is empty", class: "input" },
      { what: "The text is empty", class: "input", effect: "The task ended with reason failure" },
    ]);
  });

  it("advises what would have helped", () => {
    const limits = { timeout: 100, heartbeat_timeout: 900 };
    const life = step(later(IN_PHASE.executing(limits), 100), tick).life;

    expect(reportOfLife(life)).toMatchObject({
      reason: "timeout",
      finalization: { recommendations: ["Raise timeout above 100 s or split the task"] },
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
