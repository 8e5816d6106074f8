import {
  IN_PHASE,
  START,
  assign,
  beat,
  completed,
  decline,
  escalated,
  failed,
  live,
  notificationOf,
  notify,
  order,
  progress,
  resolve,
} from "../task-life.ts";
import { after, succeeded } from "./troubles.ts";
import type { Case } from "./troubles.ts";

const PATIENT = { heartbeat_timeout: 3_600, stall_timeout: 3_600, timeout: 86_400 };

/** Lives that wait too long, use too much, or are not listened to. */
export const TROUBLED_LIVES: Case[] = [
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
