import { describe, expect, it } from "vitest";

import { executorNotificationTypeSchema } from "../../src/protocol/enums.ts";
import {
  IN_PHASE,
  START,
  assign,
  completed,
  escalated,
  failed,
  later,
  live,
  notificationOf,
  notify,
  order,
  progress,
  refusalOf,
  started,
  stateOf,
  step,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

/** A progress with the executor's own count. */
const numbered = (sequence: number, percentage: number, token = "token-1") =>
  notify(notificationOf("task_progress", { progress_percentage: percentage }, { sequence }), token);

const startedFirst = () => live(IN_PHASE.assigned(), started({}, { sequence: 1 }));

const repeatedSeq = (life: Life, command: Parameters<typeof step>[1]) => {
  const { decision, events } = step(life, command).done;
  return decision.ok && events.length === 0 ? decision.value.repeated_seq : undefined;
};

describe("task_started", () => {
  it("begins the attempt and tells the complexity", () => {
    const life = live(IN_PHASE.assigned(), started({ complexity: "high" }));

    expect(stateOf(life)).toMatchObject({
      phase: "executing",
      status: "running",
      complexity: "high",
      started_at: START,
      progress: { percentage: 0 },
    });
  });

  it("is refused the second time in an attempt", () => {
    expect(refusalOf(step(IN_PHASE.executing(), started()).done)).toBe("transition_refused");
  });

  it("is refused for another type of task", () => {
    const { done } = step(IN_PHASE.assigned(), started({ task_type: "research" }));

    expect(refusalOf(done)).toBe("task_mismatch");
  });

  it("comes before every other type", () => {
    const codes = executorNotificationTypeSchema.options.map((type) =>
      refusalOf(step(IN_PHASE.assigned(), notify(notificationOf(type))).done),
    );

    expect(codes).toEqual([null, ...Array(4).fill("transition_refused")]);
  });
});

describe("task_progress", () => {
  it("may stay where it is, and is refused with what it must reach when it falls", () => {
    const life = live(IN_PHASE.executing(), progress(40), progress(40));

    const { done } = step(life, progress(39.5));

    expect(done.decision).toMatchObject({
      ok: false,
      refusal: {
        code: "progress_regressed",
        errors: [{ pointer: "/data/progress_percentage", expected: "at least 40" }],
      },
    });
  });

  it("begins anew with the next attempt", () => {
    const lost = step(later(live(IN_PHASE.executing(), progress(80)), 60), tick).life;
    const queued = step(later(lost, 30), tick).life;
    const again = live(queued, assign(2, "bob"));

    const second = { agent_id: "bob" };
    const life = live(
      again,
      notify(notificationOf("task_started", {}, second), "token-2"),
      notify(notificationOf("task_progress", { progress_percentage: 10 }, second), "token-2"),
    );

    expect(stateOf(again).progress).toBeNull();
    expect(stateOf(life).progress?.percentage).toBe(10);
  });

  it("answers an open request for an update", () => {
    const life = live(IN_PHASE.executing(), order("request_update"), progress(1));

    expect(stateOf(life).commands[0]?.state).toBe("confirmed");
  });
});

describe("task_failed", () => {
  it("leads to another attempt while the policy has one", () => {
    const life = live(IN_PHASE.executing(), failed());

    expect(stateOf(life)).toMatchObject({
      phase: "retry_wait",
      status: "pending",
      retries_used: 1,
      retry_at: START + 30_000,
    });
    expect(stateOf(life).mishaps).toMatchObject([{ class: "input" }]);
  });

  it.each([
    ["no retry is left", { execution_options: { retry_policy: { max_retries: 0 } } }, {}],
    ["it does not recommend one", {}, { retry_recommended: false }],
  ])("is the verdict failure when %s", (_title, changes, data) => {
    const life = live(IN_PHASE.executing(changes), failed(data));

    expect(stateOf(life)).toMatchObject({
      phase: "finalizing",
      verdict: {
        reason: "failure",
        error: { type: "bad_input", message: "The text is empty", root_cause: { class: "input" } },
      },
    });
  });
});

describe("task_escalated", () => {
  it.each([
    {},
    { metadata: { agent_version: "1.2" } },
    { metadata: { escalation_kind: "approval" } },
    { metadata: { escalation_kind: 7 } },
  ])("asks a question whatever its metadata say: %j", (envelope) => {
    const life = live(IN_PHASE.executing(), escalated({ options: ["a", "b"] }, envelope));

    expect(stateOf(life)).toMatchObject({
      phase: "awaiting_input",
      status: "escalated",
      holder: null,
      uncounted_attempts: 1,
      escalation: { kind: "question", state: "open", options: ["a", "b"] },
    });
  });
});

describe("a repeated notification", () => {
  it("is answered with its place in the log, in every phase that follows", () => {
    const first = notificationOf("task_started");
    const life = live(IN_PHASE.assigned(), notify(first));
    const { seq } = stateOf(life);
    const ends = [live(life, progress(5)), live(life, failed()), live(life, completed())];

    for (const after of [life, ...ends]) expect(repeatedSeq(after, notify(first))).toBe(seq);
  });

  it("is recognised by the executor's count of the same attempt", () => {
    const life = live(startedFirst(), numbered(2, 10));

    expect(repeatedSeq(life, numbered(2, 99))).toBe(stateOf(life).seq);
    expect(stateOf(step(life, numbered(2, 99)).life).progress?.percentage).toBe(10);
  });

  it("is no news even when it comes so late that its place is forgotten", () => {
    let life = startedFirst();
    for (let sequence = 2; sequence <= 1_010; sequence += 1) {
      life = live(life, numbered(sequence, sequence / 100));
    }

    const { done } = step(life, numbered(3, 50));

    expect(done.decision.ok).toBe(true);
    expect(done.events).toEqual([]);
  });

  it("is refused when an attempt with a stale token counts like the one that holds the lease", () => {
    const lost = step(later(startedFirst(), 60), tick).life;
    const again = live(step(later(lost, 30), tick).life, assign(2));
    const second = notify(notificationOf("task_started", {}, { sequence: 1 }), "token-2");

    const { done } = step(live(again, second), numbered(1, 50, "token-1"));

    expect(refusalOf(done)).toBe("lease_lost");
  });
});

describe("an executor's count", () => {
  it("holds back what comes before its turn", () => {
    const { done, life } = step(startedFirst(), numbered(3, 20));

    expect(done.decision).toMatchObject({ ok: true, value: { hold: { sequence: 3 } } });
    expect(life.state?.holder?.next_sequence).toBe(2);
  });

  it("is not used up by what was refused", () => {
    const life = live(startedFirst(), numbered(2, 50));

    const { life: after } = step(life, numbered(3, 10));

    expect(stateOf(live(after, numbered(3, 60))).progress?.percentage).toBe(60);
  });

  it("may be left out in between", () => {
    const life = live(startedFirst(), progress(10), numbered(2, 20));

    expect(stateOf(life).holder?.next_sequence).toBe(3);
  });
});

describe("every notification", () => {
  it("is refused when its clock is more than 300 s ahead", () => {
    const at = (ms: number) =>
      notify(
        notificationOf("task_progress", {}, { timestamp: new Date(START + ms).toISOString() }),
      );

    expect(refusalOf(step(IN_PHASE.executing(), at(300_000)).done)).toBeNull();
    expect(refusalOf(step(IN_PHASE.executing(), at(300_001)).done)).toBe("timestamp_in_future");
  });

  it.each([
    ["without a token", notify(notificationOf("task_progress"), null), "lease_lost"],
    ["with another token", notify(notificationOf("task_progress"), "token-x"), "lease_lost"],
    [
      "of an agent that never held the task",
      notify(notificationOf("task_progress", {}, { agent_id: "eve" })),
      "wrong_agent",
    ],
  ] as const)("%s is refused", (_title, command, code) => {
    const life = IN_PHASE.executing();
    const { life: after, done } = step(life, command);

    expect(refusalOf(done)).toBe(code);
    expect(after).toEqual(life);
  });

  it("shows everyone the same form: the status of its type, no schema version", () => {
    const life = live(IN_PHASE.assigned(), started());

    const { data } = life.log.at(-1) ?? { data: {} };
    expect(data).toMatchObject({ status: "running", notification_type: "task_started" });
    expect(data).not.toHaveProperty("schema_version");
  });
});

describe("a question with a deadline", () => {
  const asked = (seconds: number) =>
    escalated({ deadline: new Date(START + seconds * 1_000).toISOString() });

  it.each([-60, 0, 4])("is refused when it is %i s ahead, with what would be right", (seconds) => {
    const { done } = step(IN_PHASE.executing(), asked(seconds));

    expect(done.decision).toMatchObject({
      ok: false,
      refusal: {
        code: "deadline_too_near",
        errors: [{ pointer: "/data/deadline", expected: "2026-11-22T10:00:05.000Z or later" }],
      },
    });
    expect(done.events).toEqual([]);
  });

  it("is asked when there is time, or when the time passed while it was held", () => {
    const held = { ...asked(1), was_held: true };

    expect(stateOf(live(IN_PHASE.executing(), asked(5))).phase).toBe("awaiting_input");
    expect(stateOf(live(IN_PHASE.executing(), held)).phase).toBe("awaiting_input");
  });
});
