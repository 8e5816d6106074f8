import { describe, expect, it } from "vitest";

import { remedyOf } from "../../src/protocol/post-mortem.ts";
import type { EndPhaseRecord } from "../../src/protocol/task-view.ts";
import { MOST_ENTRIES, postMortemOf } from "../../src/task/finish/post-mortem.ts";
import { recommendationsOf } from "../../src/task/finish/recommendations.ts";
import { blankTask } from "../../src/task/machine/evolve.ts";
import { incidentsAfter } from "../../src/task/machine/incidents.ts";
import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";
import {
  IN_PHASE,
  ORIGIN,
  START,
  assign,
  beat,
  completed,
  decline,
  end,
  escalated,
  failed,
  later,
  live,
  notificationOf,
  notify,
  order,
  progress,
  request,
  resolve,
  stateOf,
  step,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const NO_RETRY = { execution_options: { retry_policy: { max_retries: 0 } } };
const PATIENT = { heartbeat_timeout: 3_600, stall_timeout: 3_600, timeout: 86_400 };

/** What the clock brings, so many seconds later. */
const after = (life: Life, seconds: number): Life => step(later(life, seconds), tick).life;

const succeeded = (life: Life): Life =>
  live(
    life,
    assign(2, "bob"),
    notify(notificationOf("task_started", {}, { agent_id: "bob" }), "token-2"),
    notify(notificationOf("task_completed", {}, { agent_id: "bob" }), "token-2"),
  );

function told(life: Life, phases: EndPhaseRecord[] = [], debts = 0) {
  const state = stateOf(life);
  if (state.verdict === null) throw new Error(`no verdict in phase ${state.phase}`);
  return postMortemOf(state, state.verdict, { phases, debts });
}

function advised(life: Life): string[] {
  const state = stateOf(life);
  if (state.verdict === null) throw new Error("no verdict");
  return recommendationsOf(state, state.verdict, { debt: [], advice: [] });
}

/** What went wrong, by class; and of what the report has to say of it, a part of each text. */
interface Case {
  of: string;
  life: () => Life;
  entries: { class: string; what: string; effect: string; action: string }[];
  advice?: string[];
}

const CASES: Case[] = [
  {
    of: "a failed attempt that was retried",
    life: () => {
      const suggestion = { recovery_suggestions: ["send a longer text"] };
      return succeeded(after(live(IN_PHASE.executing(), failed(suggestion)), 30));
    },
    entries: [
      {
        class: "input",
        what: "Attempt 1 failed: The text is empty (Nothing to read)",
        effect: "The attempt ended with bad_input",
        action: "Retried: attempt 2 was planned after 30 s; it suggests: send a longer text",
      },
    ],
    advice: ["The executor suggests: send a longer text"],
  },
  {
    of: "a last failed attempt, once",
    life: () =>
      live(
        IN_PHASE.executing(NO_RETRY),
        failed({ partial_results: { n: 1 } }),
        end("failure", {
          error_information: {
            error_code: "bad_input",
            error_message: "The text is empty",
            recovery_actions: ["looked again"],
          },
        }),
      ),
    entries: [
      {
        class: "input",
        what: "Attempt 1 failed: The text is empty (Nothing to read)",
        effect: "The task ended with reason failure",
        action:
          "Ended: no attempt followed, partial results were kept; the executor did: looked again",
      },
    ],
  },
  {
    of: "an end with an error by the executor alone",
    life: () => live(IN_PHASE.executing(), end("failure")),
    entries: [
      {
        class: "E1",
        what: "It went wrong",
        effect: "The task ended with reason failure",
        action: "Ended: no attempt followed",
      },
    ],
  },
  {
    of: "an end that gives up to a person without an error",
    life: () => live(IN_PHASE.executing(), end("escalated", { error_information: undefined })),
    entries: [
      {
        class: "escalated",
        what: "The executor ended the task with reason escalated",
        effect: "The task ended with reason escalated",
        action: "Ended:",
      },
    ],
  },
  {
    of: "a last word that contradicts the verdict",
    life: () => live(IN_PHASE.finalizing(), end("failure")),
    entries: [
      {
        class: "reason_ignored",
        what: "The executor ended the task with reason failure: It went wrong",
        effect: "The reason contradicts the verdict success",
        action: "Ignored: a verdict never changes",
      },
    ],
  },
  {
    of: "leases that were lost, the last of them with the task",
    life: () => {
      const once = after(after(IN_PHASE.executing(), 60), 30);
      const again = after(after(live(once, assign(2)), 60), 60);
      return after(live(again, assign(3)), 60);
    },
    entries: [
      {
        class: "lease_lost",
        what: "Attempt 1 of ann was not heard of for 60 s",
        effect: "The lease was voided",
        action: "Retried: attempt 2",
      },
      {
        class: "lease_lost",
        what: "Attempt 2 of ann",
        effect: "The lease was voided",
        action: "Retried: attempt 3",
      },
      {
        class: "lease_lost",
        what: "Attempt 3 of ann",
        effect: "The task ended with reason timeout",
        action: "Ended:",
      },
    ],
    advice: [
      "Send heartbeats more often than every 60 s or raise heartbeat_timeout: 3 attempts lost their lease",
    ],
  },
  {
    of: "an attempt that never started",
    life: () => after(live(later(IN_PHASE.assigned(NO_RETRY), 30), beat()), 30),
    entries: [
      {
        class: "not_started",
        what: "Attempt 1 of ann did not start within 60 s",
        effect: "The task ended with reason timeout",
        action: "Ended:",
      },
    ],
  },
  {
    of: "an attempt that stalled, asked for news before, once",
    life: () => {
      const limits = { ...NO_RETRY, heartbeat_timeout: 3_600, stall_timeout: 100 };
      return after(after(IN_PHASE.executing(limits), 50), 50);
    },
    entries: [
      {
        class: "stall",
        what: "Attempt 1 of ann made no progress for 100 s",
        effect: "The task ended with reason timeout",
        action: "Ended:",
      },
    ],
    advice: [
      "Report progress more often or raise stall_timeout: Attempt 1 of ann made no progress for 100 s",
    ],
  },
  {
    of: "an attempt that was silent and went on",
    life: () => {
      const limits = { heartbeat_timeout: 3_600, stall_timeout: 100 };
      return live(after(IN_PHASE.executing(limits), 50), progress(60), completed());
    },
    entries: [
      {
        class: "stall",
        what: "no progress for 50 s",
        effect: "The attempt did not get on",
        action: "Asked:",
      },
    ],
  },
  {
    of: "an attempt that ran too long",
    life: () => {
      const limits = { timeout: 300, heartbeat_timeout: 3_600, stall_timeout: 3_600 };
      return after(live(IN_PHASE.executing(limits), progress(60)), 300);
    },
    entries: [
      {
        class: "attempt_timeout",
        what: "Attempt 1 of ann ran longer than its 300 s",
        effect: "The task ended with reason timeout",
        action: "Ended:",
      },
    ],
    advice: ["Raise timeout from 300 s to about 500 s: an attempt was at 60 % after 300 s"],
  },
  {
    of: "a life that was too long",
    life: () => after(IN_PHASE.queued({ total_timeout: 600 }), 600),
    entries: [
      {
        class: "total_timeout",
        what: "The task's whole life exceeded",
        effect: "The task ended with reason timeout",
        action: "Ended:",
      },
    ],
    advice: ["Raise total_timeout above 600 s, or allow fewer or shorter attempts"],
  },
  {
    of: "a queue that nobody took it from",
    life: () =>
      after(IN_PHASE.queued({ queue_timeout: 30, requires: { capabilities: ["gpu"] } }), 30),
    entries: [
      {
        class: "queue_timeout",
        what: "No executor took the task within 30 s",
        effect: "The task ended with reason timeout",
        action: "Ended:",
      },
    ],
    advice: [
      "Register an executor in pool default for general with the capabilities gpu, or raise queue_timeout above 30 s",
    ],
  },
  {
    of: "declines that led nowhere",
    life: () => after(live(IN_PHASE.assigned({ queue_timeout: 30 }), decline()), 30),
    entries: [
      {
        class: "declined",
        what: "ann declined the task: busy",
        effect: "The task waited for another executor",
        action: "Offered:",
      },
      {
        class: "queue_timeout",
        what: "No executor",
        effect: "The task ended with reason timeout",
        action: "Ended:",
      },
    ],
  },
  {
    of: "a question that nobody answered, of which the task ended",
    life: () =>
      after(
        live(IN_PHASE.executing(), escalated({ deadline: new Date(START + 60_000).toISOString() })),
        60,
      ),
    entries: [
      {
        class: "escalation_expired",
        what: "Nobody answered esc_1_task-1 in time: Which one?",
        effect: "The task ended with reason escalated",
        action: "Ended:",
      },
    ],
    advice: ["Answer escalations before their deadline, or have executors give a default_option"],
  },
  {
    of: "a question that was decided by default",
    life: () => {
      const deadline = new Date(START + 60_000).toISOString();
      const ask = { deadline, default_option: "the first" };
      return succeeded(after(live(IN_PHASE.executing(), escalated(ask)), 60));
    },
    entries: [
      {
        class: "escalation_unanswered",
        what: "Nobody answered esc_1_task-1",
        effect: "It was decided without an answer",
        action: "Resumed: the default option the first was taken",
      },
    ],
  },
  {
    of: "a question about the last failure that nobody answered: the failure and the silence",
    life: () => {
      const options = { retry_policy: { max_retries: 0 }, escalate_on: ["retries_exhausted"] };
      return after(live(IN_PHASE.executing({ execution_options: options }), failed()), 86_400);
    },
    entries: [
      {
        class: "input",
        what: "Attempt 1 failed",
        effect: "The task ended with reason failure",
        action: "Escalated: a decision was asked for",
      },
      {
        class: "escalation_expired",
        what: "Nobody answered",
        effect: "The task could not go on",
        action: "Ended:",
      },
    ],
  },
  {
    of: "a queue about which somebody was asked",
    life: () => {
      const options = { escalate_on: ["queue_timeout"] };
      const asked = after(IN_PHASE.queued({ queue_timeout: 30, execution_options: options }), 30);
      return live(asked, resolve("cancel"));
    },
    entries: [
      {
        class: "queue_timeout",
        what: "No executor took the task within 30 s",
        effect: "The task waited for a decision",
        action: "Escalated:",
      },
    ],
  },
  {
    of: "a budget that came near its limit",
    life: () => {
      const budget = { contract: { budget: { max_tokens: 1_000 } } };
      return live(IN_PHASE.executing(budget), beat({ usage: { tokens: 850 } }), completed());
    },
    entries: [
      {
        class: "budget_warning",
        what: "850 of 1000 tokens were used",
        effect: "The budget may not do",
        action: "Noted:",
      },
    ],
    advice: ["Leave more room in the budget: 850 of 1000 tokens were used"],
  },
  {
    of: "a budget that was used up",
    life: () => {
      const budget = { contract: { budget: { max_tokens: 1_000 } } };
      return live(IN_PHASE.executing(budget), progress(50), beat({ usage: { tokens: 1_100 } }));
    },
    entries: [
      {
        class: "budget_exceeded",
        what: "tokens of 1100 exceeds the budget of 1000",
        effect: "The task ended with reason resource_exhausted",
        action: "Ended:",
      },
    ],
    advice: [
      "Raise max_tokens above 1000 or split the task: 1100 were used at 50 %, about 2200 for all of it",
    ],
  },
  {
    of: "a duration that was used up",
    life: () => {
      const budget = { contract: { budget: { max_duration_s: 60 } } };
      return after(IN_PHASE.executing({ ...PATIENT, ...budget }), 60);
    },
    entries: [
      {
        class: "budget_exceeded",
        what: "Attempt 1 of ann was taken back: duration exceeds the budget of 60 s",
        effect: "The task ended with reason resource_exhausted",
        action: "Ended:",
      },
    ],
    advice: ["Raise max_duration_s above 60 s or split the task"],
  },
  {
    of: "a cancellation that the executor did not confirm",
    life: () => after(live(IN_PHASE.executing(PATIENT), order("cancel")), 30),
    entries: [
      {
        class: "unresponsive",
        what: "Attempt 1 did not confirm the cancellation in time",
        effect: "The task ended with reason cancelled",
        action: "Ended:",
      },
    ],
    advice: ["Have ann confirm a cancellation within 30 s: heartbeats bring it"],
  },
  {
    of: "a challenge that blocked the executor",
    life: () => {
      const challenges = [{ description: "no access", blocking: true }];
      const asked = live(IN_PHASE.executing(), progress(20, { challenges }));
      return succeeded(live(asked, resolve("resume", { answer: "granted" })));
    },
    entries: [
      {
        class: "blocked",
        what: "no access",
        effect: "The executor could not go on",
        action: "Escalated:",
      },
    ],
  },
  {
    of: "attempts that failed of the same cause",
    life: () => {
      const again = live(
        after(live(IN_PHASE.executing(), failed()), 30),
        assign(2),
        notify(notificationOf("task_started"), "token-2"),
        notify(notificationOf("task_failed", { retry_recommended: false }), "token-2"),
      );
      return again;
    },
    entries: [
      {
        class: "input",
        what: "Attempt 1 failed",
        effect: "The attempt ended with bad_input",
        action: "Retried:",
      },
      {
        class: "input",
        what: "Attempt 2 failed",
        effect: "The task ended with reason failure",
        action: "Ended:",
      },
    ],
    advice: ["Cure input before the task is submitted again: 2 attempts failed of it"],
  },
  {
    of: "a cause that no retry cures",
    life: () =>
      live(
        IN_PHASE.executing(),
        failed({ root_cause: { class: "invalid_input", detail: "no", evidence: "" } }),
      ),
    entries: [
      {
        class: "invalid_input",
        what: "Attempt 1 failed",
        effect: "The task ended with reason failure",
        action: "Ended:",
      },
    ],
    advice: [
      "Correct the request before it is submitted again: invalid_input is not cured by a retry",
    ],
  },
];

describe("the post-mortem", () => {
  it.each(CASES)("tells of $of", ({ life, entries, advice }) => {
    const lived = life();

    const found = told(lived);

    expect(found.map((entry) => entry.class)).toEqual(entries.map((entry) => entry.class));
    expect(found).toEqual(
      entries.map(({ class: word, what, effect, action }) => ({
        class: word,
        what: expect.stringContaining(what),
        effect: expect.stringContaining(effect),
        action: expect.stringContaining(action),
        when: expect.stringMatching(/^2026-11-2\dT/),
      })),
    );
    expect(found.filter(({ action }) => remedyOf(action) === null)).toEqual([]);
    if (advice !== undefined) expect(advised(lived)).toEqual(advice);
  });

  it.each<[string, () => Life]>([
    ["a success at once", () => IN_PHASE.finalizing()],
    ["a cancellation before the start", () => live(IN_PHASE.queued(), order("cancel"))],
    [
      "a cancellation that was confirmed",
      () =>
        live(
          IN_PHASE.executing(),
          order("cancel"),
          end("cancelled", { error_information: undefined }),
        ),
    ],
    [
      "a question that was answered",
      () => succeeded(live(IN_PHASE.awaiting_input(), resolve("resume", { answer: "this" }))),
    ],
    [
      "a decline after which another took it",
      () => succeeded(live(IN_PHASE.assigned(), decline())),
    ],
  ])("is empty for %s, and so is the advice", (_what, life) => {
    const lived = life();

    expect([told(lived), advised(lived)]).toEqual([[], []]);
  });

  it("tells of end phases that did not do their work", () => {
    const phase: EndPhaseRecord = {
      name: "cleanup",
      outcome: "fallback",
      started_at: "2026-11-22T10:00:00.000Z",
      ended_at: "2026-11-22T10:00:09.000Z",
      attempts: 3,
      checks: [{ name: "slot released", passed: false, detail: "failed each time" }],
    };

    expect(told(IN_PHASE.finalizing(), [phase], 1)).toEqual([
      {
        what: "Phase cleanup did not achieve: slot released",
        when: phase.ended_at,
        class: "cleanup_failed",
        effect: "The task ended without it",
        action: "Retried: it was tried 3 times; what was left is in cleanup_debt",
      },
    ]);
    const cut: EndPhaseRecord = { ...phase, outcome: "timed_out" };
    expect(told(IN_PHASE.finalizing(), [cut]).map((entry) => entry.class)).toEqual([
      "cleanup_timed_out",
    ]);
  });

  it("tells of prerequisites and subtasks that did not succeed", () => {
    const state = stateOf(IN_PHASE.finalizing());
    const reported = (task_id: string, end_reason: "failure" | "success" | "cancelled") => ({
      task_id,
      weight: 1,
      reserved: { cost_usd: null, tokens: null, attempts: null, children: null },
      adopted_at: START,
      report: {
        ...{ task_id, task_type: "general" as const, phase: "ended" as const, is_ended: true },
        ...{ status: "failed" as const, end_reason, completion_status: null, agent_id: null },
        ...{ seq: 5, percentage: null, height: 0 },
        used: { cost_usd: 0, tokens: 0, attempts: 0, children: 0 },
      },
    });
    const children = [
      reported("a", "failure"),
      reported("b", "success"),
      reported("c", "cancelled"),
    ];
    const prerequisites = [
      { task_id: "p", end_reason: "failure" },
      { task_id: "q", end_reason: "success" },
    ];
    const incidents = incidentsAfter(state, eventOf("task_ready", { prerequisites }));
    if (state.verdict === null) throw new Error("no verdict");

    const found = postMortemOf({ ...state, incidents, family: { children } }, state.verdict, {
      phases: [],
      debts: 0,
    });

    expect(found.map((entry) => [entry.class, entry.what])).toEqual([
      ["dependency_failed", "Prerequisite p ended with reason failure"],
      ["subtask_failed", "Subtask a ended with reason failure"],
    ]);
  });

  it("counts by class what is too much to tell one by one", () => {
    const state = stateOf(IN_PHASE.finalizing());
    const incidents = Array.from({ length: 250 }, (_, index) => ({
      ...{ what: `problem ${index}`, at: START + index, class: "declined", effect: "", action: "" },
      ...{ awaits: null, isFatal: false, names: [] },
    }));
    if (state.verdict === null) throw new Error("no verdict");

    const found = postMortemOf({ ...state, incidents }, state.verdict, { phases: [], debts: 0 });

    expect(found).toHaveLength(MOST_ENTRIES);
    expect([found[0]?.what, found.at(-1)?.what]).toEqual(["problem 0", "problem 249"]);
    expect(found.find((entry) => entry.class === "further_problems")?.what).toBe(
      "151 further problems: 151 × declined",
    );
  });

  it("is made from whatever a log says, however little", () => {
    const start = blankTask(ORIGIN, request(), START);
    const data = [{}, { data: null }, { rule: 5 }, { state: 7 }, { prerequisites: "no" }];
    const events = (
      [
        "task_failed",
        "lease_expired",
        "retry_scheduled",
        "task_escalated",
        "escalation_resolved",
        "task_declined",
        "task_started",
        "task_ready",
        "command_issued",
        "command_acknowledged",
        "budget_warning",
        "verdict",
        "agent_end_task",
      ] as const
    ).flatMap((type) => data.map((odd) => eventOf(type, odd)));

    const state = events.reduce<TaskState>(
      (before, event) => ({ ...before, incidents: incidentsAfter(before, event) }),
      start,
    );

    expect(state.incidents.map((incident) => typeof incident.what)).not.toContain("undefined");
  });
});

function eventOf(type: LoggedEvent["type"], data: LoggedEvent["data"]): LoggedEvent {
  return { type, data, seq: 9, at: START, actor: { kind: "system", id: "batuta" } };
}

describe("recommendations", () => {
  it("name the quality that was asked for when the result missed it", () => {
    const poor = { quality_assessment: { overall_score: 0.5 } };

    expect(advised(live(IN_PHASE.executing(), end("failure", poor)))).toContain(
      "Give more context, or lower quality_threshold: the quality was 0.5, 0.8 were asked for",
    );
  });

  it("take over what stages of the end advise, each once", () => {
    const state = stateOf(IN_PHASE.finalizing());
    if (state.verdict === null) throw new Error("no verdict");

    expect(recommendationsOf(state, state.verdict, { debt: [], advice: ["look", "look"] })).toEqual(
      ["look"],
    );
  });
});
