import { describe, expect, it } from "vitest";

import { endReasonSchema } from "../../src/protocol/enums.ts";
import { finishDueAt } from "../../src/task/machine/clocks.ts";
import { completionStatusOf } from "../../src/task/machine/verdict.ts";
import {
  IN_PHASE,
  assign,
  beat,
  completed,
  decline,
  end,
  failed,
  finish,
  later,
  live,
  order,
  progress,
  refusalOf,
  stateOf,
  step,
  submit,
  tick,
  typesOf,
} from "../task-life.ts";

describe("agent_end_task of the executor", () => {
  it.each(endReasonSchema.options)("is the verdict %s where none is frozen", (reason) => {
    const life = live(IN_PHASE.executing(), end(reason));

    const { verdict, status } = stateOf(life);
    expect(verdict?.reason).toBe(reason);
    expect(status).toBe(
      { success: "completed", cancelled: "cancelled", escalated: "escalated" }[String(reason)] ??
        "failed",
    );
  });

  it("passes the same gates as task_completed, at its own places", () => {
    const contract = { output_schema: { type: "object", required: ["n"] } };
    const life = IN_PHASE.executing({ contract });

    const poor = step(
      life,
      end("success", {
        result_data: { output: { m: 1 } },
        quality_assessment: { overall_score: 0.1 },
      }),
    );
    const good = step(life, end("success", { result_data: { output: { n: 1 } } }));

    expect(poor.done.decision).toMatchObject({
      refusal: {
        code: "result_rejected",
        errors: [
          { pointer: "/result_data/output" },
          { pointer: "/quality_assessment/overall_score" },
        ],
      },
    });
    expect(stateOf(poor.life).verdict).toBeNull();
    expect(stateOf(good.life).verdict?.reason).toBe("success");
  });

  it("adds its facts to a verdict that is frozen, and says when its reason is ignored", () => {
    const { life, done } = step(IN_PHASE.finalizing(), end("failure"));

    expect(done.decision).toMatchObject({ ok: true, value: { isReasonIgnored: true } });
    expect(stateOf(life)).toMatchObject({
      verdict: { reason: "success" },
      memo: { end: { reason: "failure" } },
    });
  });

  it("is answered the same the second time, and only the first one counts", () => {
    const first = step(IN_PHASE.executing(), end("failure"));
    const second = step(first.life, end("success"));

    expect(second.done).toMatchObject({ events: [], memo: null });
    expect(second.done.decision).toMatchObject({ ok: true, value: { isReasonIgnored: true } });
    expect(second.life.state).toEqual(first.life.state);
  });

  it("is accepted without effect from an executor that lost its lease to the clock", () => {
    const over = step(
      later(IN_PHASE.executing({ heartbeat_timeout: 900, timeout: 300 }), 300),
      tick,
    );

    const { done } = step(over.life, end("success"));

    expect(done.decision).toMatchObject({ ok: true, value: { isReasonIgnored: true } });
    expect(done.memo).toBeNull();
  });

  it("of an agent that never held the task is refused, before and after the end", () => {
    const stranger = end("success", { agent_id: "eve" });

    expect(refusalOf(step(IN_PHASE.executing(), stranger).done)).toBe("wrong_agent");
    expect(refusalOf(step(IN_PHASE.ended(), stranger).done)).toBe("wrong_agent");
  });

  it("that names another task than its address is refused", () => {
    const { done } = step(IN_PHASE.executing(), end("success", { task_id: "task-2" }));

    expect(refusalOf(done)).toBe("task_mismatch");
  });

  it("counts what it says was used, unless heartbeats said more", () => {
    const metrics = {
      start_time: "2026-11-22T10:00:00Z",
      end_time: "2026-11-22T10:00:05Z",
      duration_seconds: 5,
      tokens_consumed: 500,
      cost_incurred: 1,
    };
    const life = live(
      IN_PHASE.executing(),
      beat({ usage: { tokens: 900, cost_usd: 0.1 } }),
      end("failure", { execution_metrics: metrics }),
    );

    expect(stateOf(life).memo).toMatchObject({ tokens: 900, cost_usd: 1 });
  });
});

describe("a verdict", () => {
  it.each([
    ["success", true, "success"],
    ["cancelled", true, "cancelled"],
    ["failure", true, "partial"],
    ["failure", false, "failure"],
    ["timeout", true, "partial"],
    ["timeout", false, "failure"],
    ["escalated", false, "failure"],
    ["resource_exhausted", true, "partial"],
  ] as const)("of %s with partial results %s is %s", (reason, hasPartial, status) => {
    expect(completionStatusOf(reason, hasPartial)).toBe(status);
  });

  it("keeps the intermediate results of the last progress as partial ones", () => {
    const life = live(
      IN_PHASE.executing({ heartbeat_timeout: 900, timeout: 300 }),
      progress(40, { intermediate_results: { rows: 4 } }),
      progress(50),
    );

    expect(stateOf(step(later(life, 300), tick).life).verdict?.hasPartialResults).toBe(true);
  });

  it("of a failure that carries partial results is partial", () => {
    const life = live(
      IN_PHASE.executing(),
      failed({ retry_recommended: false, partial_results: { steps: [1, 2] } }),
    );

    expect(stateOf(life).verdict).toMatchObject({
      reason: "failure",
      hasPartialResults: true,
      error: { root_cause: { class: "input" } },
    });
  });
});

describe("a lost attempt", () => {
  it("goes to the next attempt, and what the old token writes is refused", () => {
    const queued = step(later(live(IN_PHASE.executing(), beat()), 60), tick).life;
    const again = live(step(later(queued, 30), tick).life, assign(2, "bob"));

    expect(stateOf(again)).toMatchObject({ attempt: 2, holder: { agent_id: "bob" } });
    for (const late of [progress(60), completed(), beat(), end("success"), decline()]) {
      expect(refusalOf(step(again, late).done)).toBe("lease_lost");
    }
  });

  it("costs one retry, a declined one costs none", () => {
    const lost = step(later(IN_PHASE.executing(), 60), tick).life;
    const declined = live(IN_PHASE.executing(), decline());

    expect(stateOf(lost)).toMatchObject({ retries_used: 1, uncounted_attempts: 0 });
    expect(stateOf(declined)).toMatchObject({ retries_used: 0, uncounted_attempts: 1 });
    expect(stateOf(declined).declined_by).toEqual(["ann"]);
  });

  it("that was handed over on command does not use up an attempt", () => {
    const life = live(IN_PHASE.executing(), order("escalate"));

    expect(stateOf(life)).toMatchObject({ holder: null, uncounted_attempts: 1, retries_used: 0 });
  });
});

describe("finishing", () => {
  it("records each phase once, however often it is carried out", () => {
    const partly = live(IN_PHASE.finalizing(), { ...finish, report: null });
    const over = live(partly, finish, finish);

    expect(typesOf(over.log).filter((type) => type === "finalization_phase")).toHaveLength(1);
    expect(stateOf(over)).toMatchObject({ phase: "ended", holder: null, ended_at: over.now });
  });

  it("does nothing before the verdict", () => {
    expect(step(IN_PHASE.executing(), finish).done.events).toEqual([]);
  });

  it("recognises a repeated submission of an ended task", () => {
    expect(step(IN_PHASE.ended(), submit()).done).toMatchObject({ events: [], memo: null });
  });
});

describe("the end phases", () => {
  it("begin at once when the executor has had its last word", () => {
    const life = live(later(IN_PHASE.executing(), 5), end("success"));

    expect(finishDueAt(stateOf(life))).toBe(life.now);
  });

  it("wait 30 s for the executor's last word after a verdict, and no longer when it comes", () => {
    const life = IN_PHASE.finalizing();
    const spoken = live(later(life, 7), end("success"));

    expect(finishDueAt(stateOf(life))).toBe(life.now + 30_000);
    expect(finishDueAt(stateOf(spoken))).toBe(life.now + 7_000);
  });

  it("begin at once when nobody holds the task", () => {
    const life = live(IN_PHASE.queued(), order("cancel"));

    expect(finishDueAt(stateOf(life))).toBe(life.now);
  });

  it.each(["queued", "executing", "awaiting_input", "ended"] as const)(
    "are not due in phase %s",
    (phase) => {
      expect(finishDueAt(stateOf(IN_PHASE[phase]()))).toBeNull();
    },
  );
});
