import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../src/protocol/primitives.ts";
import { escalationSchema } from "../../src/protocol/task-view.ts";
import { usedInTree } from "../../src/task/kin/tree-budget.ts";
import { escalationOf } from "../../src/task/view.ts";
import {
  IN_PHASE,
  START,
  assign,
  escalated,
  failed,
  later,
  live,
  notificationOf,
  notify,
  order,
  refusalOf,
  request,
  resolve,
  started,
  stateOf,
  step,
  submit,
  tick,
  typesOf,
  UNBORN,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const DAY_S = 86_400;

const asking = (changes: JsonObject = {}): JsonObject => ({
  execution_options: {
    escalate_on: ["retries_exhausted", "queue_timeout"],
    retry_policy: { max_retries: 0 },
  },
  ...changes,
});

const exhausted = (changes: JsonObject = {}): Life =>
  live(
    IN_PHASE.executing(asking(changes)),
    failed({ recovery_suggestions: ["Send another text"] }),
  );

const failedAgain = (life: Life, attempt: number): Life => {
  const token = `token-${attempt}`;
  return live(
    life,
    assign(attempt),
    notify(notificationOf("task_started"), token),
    notify(notificationOf("task_failed"), token),
  );
};

describe("a task that asks when its retries are used up", () => {
  it("hands over instead of ending, with what was tried as evidence", () => {
    const life = exhausted();

    expect(typesOf(life.log)).not.toContain("verdict");
    expect(stateOf(life)).toMatchObject({
      phase: "awaiting_input",
      status: "escalated",
      holder: null,
      escalation: {
        kind: "handover",
        question: "Try once more, change the task, or cancel it?",
        options: ["resume", "change", "cancel"],
        deadline: START + DAY_S * 1_000,
        evidence: {
          context: { last_error: { type: "bad_input", root_cause: { class: "input" } } },
          attempted_solutions: ["Attempt 1 failed: The text is empty"],
          recommended_actions: ["Send another text"],
          level: "human",
        },
      },
    });
  });

  it("is tried once more on resume, which costs no retry, and asks again when that fails", () => {
    const resumed = live(exhausted(), resolve("resume"));
    const again = failedAgain(resumed, 2);

    expect(stateOf(resumed)).toMatchObject({ phase: "queued", retries_used: 0 });
    expect(stateOf(again)).toMatchObject({
      phase: "awaiting_input",
      attempt: 2,
      uncounted_attempts: 2,
      escalation: { escalation_id: "esc_2_task-1" },
    });
  });

  it("counts its attempts in the budget, and can only be cancelled when they are used up", () => {
    const life = exhausted({ contract: { budget: { max_attempts: 2 } } });
    const again = failedAgain(live(life, resolve("resume")), 2);
    const second = (decision: "resume" | "change" | "cancel") =>
      refusalOf(step(again, resolve(decision, {}, "esc_2_task-1")).done);

    expect(usedInTree(stateOf(life)).attempts).toBe(1);
    expect(usedInTree(stateOf(again)).attempts).toBe(2);
    expect([second("resume"), second("change"), second("cancel")]).toEqual([
      "budget_exceeded",
      "budget_exceeded",
      null,
    ]);
    expect(refusalOf(step(again, order("retry")).done)).toBe("budget_exceeded");
  });

  it("is changed by the patch of the answer, or cancelled", () => {
    const changed = live(exhausted(), resolve("change", { patch: { timeout: 900 } }));
    const cancelled = live(exhausted(), resolve("cancel"));

    expect(stateOf(changed)).toMatchObject({ phase: "queued", task: { timeout: 900 } });
    expect(stateOf(cancelled).verdict?.reason).toBe("cancelled");
  });

  it("ends with its own failure when nobody answers for a day", () => {
    const quiet = later(exhausted(), DAY_S - 1);
    const life = step(later(exhausted(), DAY_S), tick).life;

    expect(step(quiet, tick).done.events).toEqual([]);
    expect(stateOf(life)).toMatchObject({
      escalation: { state: "expired", decision: null },
      verdict: { reason: "failure", error: { type: "bad_input", message: "The text is empty" } },
    });
  });

  it("ends with its own failure too when its whole life is over before", () => {
    const life = step(later(exhausted({ total_timeout: 500 }), 500), tick).life;

    expect(stateOf(life)).toMatchObject({
      escalation: { state: "expired", deadline: START + 500_000 },
      verdict: { reason: "failure" },
    });
  });

  it.each([
    ["does not recommend a retry", failed({ retry_recommended: false })],
    [
      "names a permanent cause",
      failed({ root_cause: { class: "unsupported", detail: "d", evidence: "" } }),
    ],
  ] as const)("hands over as well when the executor %s", (_title, command) => {
    const options = { execution_options: { escalate_on: ["retries_exhausted"] } };

    expect(stateOf(live(IN_PHASE.executing(options), command)).phase).toBe("awaiting_input");
  });

  it("hands over when the last attempt lost its lease, and is counted as an attempt", () => {
    const life = step(later(IN_PHASE.executing(asking()), 60), tick).life;
    const silent = step(later(life, DAY_S), tick).life;

    expect(typesOf(life.log.slice(-2))).toEqual(["lease_expired", "task_escalated"]);
    expect(stateOf(life)).toMatchObject({ phase: "awaiting_input", uncounted_attempts: 1 });
    expect(stateOf(silent).verdict).toMatchObject({
      reason: "timeout",
      error: { type: "lease_lost" },
    });
  });
});

describe("a task that asks when nobody takes it", () => {
  const waiting = () => step(later(IN_PHASE.queued(asking({ queue_timeout: 40 })), 40), tick).life;

  it("hands over after queue_timeout, and waits anew on resume", () => {
    const resumed = live(waiting(), resolve("resume"));

    expect(stateOf(waiting())).toMatchObject({ phase: "awaiting_input", uncounted_attempts: 0 });
    expect(stateOf(resumed).phase).toBe("queued");
    expect(stateOf(step(later(resumed, 40), tick).life)).toMatchObject({
      phase: "awaiting_input",
      escalation_count: 2,
    });
  });

  it("ends with reason timeout when nobody answers", () => {
    const life = step(later(waiting(), DAY_S), tick).life;

    expect(stateOf(life).verdict).toMatchObject({
      reason: "timeout",
      error: { type: "queue_timeout" },
    });
  });
});

describe("a task that does not ask", () => {
  it("ends as protocol.md says", () => {
    const options = { execution_options: { retry_policy: { max_retries: 0 } } };
    const dead = live(IN_PHASE.executing(options), failed());
    const unwanted = step(later(IN_PHASE.queued({ queue_timeout: 40 }), 40), tick).life;

    expect(stateOf(dead).verdict?.reason).toBe("failure");
    expect(stateOf(unwanted).verdict?.reason).toBe("timeout");
  });
});

describe("what an escalation shows", () => {
  const shown = (data: JsonObject) => {
    const state = stateOf(live(IN_PHASE.executing(), escalated(data)));
    return state.escalation === null ? null : escalationOf(state, state.escalation);
  };

  it("is context, attempts, recommendations and level in its evidence, and no more than its schema", () => {
    const full = shown({
      context: { file: "a.txt" },
      attempted_solutions: ["Read it twice"],
      recommended_actions: ["Ask the author", "Skip it"],
      escalation_level: "agent",
    });

    expect(full?.evidence).toEqual({
      context: { file: "a.txt" },
      attempted_solutions: ["Read it twice"],
      recommended_actions: ["Ask the author", "Skip it"],
      level: "agent",
    });
    expect(full?.options).toEqual(["Ask the author", "Skip it"]);
    expect(escalationSchema.safeParse(full).error).toBeUndefined();
    const system = stateOf(exhausted());
    expect(
      escalationSchema.safeParse(system.escalation && escalationOf(system, system.escalation))
        .error,
    ).toBeUndefined();
  });

  it("is its own options where it has some, and nothing that was not said", () => {
    const plain = shown({ options: ["left", "right"], recommended_actions: ["Toss a coin"] });

    expect(plain?.options).toEqual(["left", "right"]);
    expect(shown({})).toMatchObject({ options: [], evidence: { level: "human" } });
  });

  it("is free text as an answer, whatever the options are", () => {
    const life = live(
      IN_PHASE.executing(),
      escalated({ options: ["left", "right"] }),
      resolve("resume", { answer: "neither" }),
    );

    expect(stateOf(life).escalation).toMatchObject({ state: "resolved", answer: "neither" });
  });

  it("is expired, and no decision of anybody, when the deadline passes", () => {
    const deadline = new Date(START + 10_000).toISOString();
    const life = step(later(live(IN_PHASE.executing(), escalated({ deadline })), 10), tick).life;

    expect(stateOf(life)).toMatchObject({
      escalation: { state: "expired", decision: null, answer: null },
      verdict: { reason: "escalated" },
    });
  });

  it("is its default option when nobody says otherwise in time", () => {
    const deadline = new Date(START + 10_000).toISOString();
    const asked = live(IN_PHASE.executing(), escalated({ deadline, default_option: "go on" }));
    const life = step(later(asked, 10), tick).life;

    expect(stateOf(life)).toMatchObject({
      phase: "queued",
      escalation: { answer: "go on", actor: "batuta" },
    });
  });
});

describe("the command escalate", () => {
  it("is done at once: no later executor finds it open", () => {
    const life = live(UNBORN, submit(request()), assign(), started(), order("escalate"));

    expect(stateOf(life).commands).toMatchObject([{ command: "escalate", state: "confirmed" }]);
  });
});
