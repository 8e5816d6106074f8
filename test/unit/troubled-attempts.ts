import {
  IN_PHASE,
  assign,
  beat,
  completed,
  end,
  failed,
  later,
  live,
  progress,
} from "../task-life.ts";
import { after, succeeded } from "./troubles.ts";
import type { Case } from "./troubles.ts";

const NO_RETRY = { execution_options: { retry_policy: { max_retries: 0 } } };

/** Attempts that come to nothing. */
export const TROUBLED_ATTEMPTS: Case[] = [
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
];
