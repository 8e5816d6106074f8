import { describe, expect, it } from "vitest";

import {
  IN_PHASE,
  later,
  live,
  notificationOf,
  notify,
  started,
  stateOf,
  step,
  tick,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

/** What rules have ordered so far. */
const ruledIn = (life: Life) =>
  stateOf(life)
    .commands.filter(({ rule }) => rule !== undefined)
    .map(({ rule, command, state }) => ({ rule, command, state }));

const executing = (changes: Record<string, unknown>): Life =>
  live(IN_PHASE.assigned(changes), started());

describe("the rule repeated_failure", () => {
  const again = (...classes: string[]) => {
    let life = executing({
      execution_options: {
        escalate_on: ["repeated_failure"],
        retry_policy: { max_retries: 5, retry_delay: 1 },
      },
    });
    for (const [index, name] of classes.entries()) {
      const root_cause = { class: name, detail: "d", evidence: "" };
      const token = `token-${index + 1}`;
      life = live(life, notify(notificationOf("task_failed", { root_cause }), token));
      if (stateOf(life).phase !== "retry_wait") return life;
      life = step(later(life, 60), tick).life;
      const next = `token-${index + 2}`;
      life = live(life, { ...assignNext(index + 2), token: next });
      life = live(life, notify(notificationOf("task_started"), next));
    }
    return life;
  };
  const assignNext = (attempt: number) =>
    ({ type: "assign", agent_id: "ann", attempt, decision: {} }) as const;

  it("asks when two attempts in a row fail with the same cause", () => {
    const life = again("tool", "tool");

    expect(ruledIn(life)).toEqual([
      { rule: "repeated_failure", command: "escalate", state: "confirmed" },
    ]);
    expect(stateOf(life)).toMatchObject({
      phase: "awaiting_input",
      escalation: { kind: "handover", evidence: { context: { last_error: {} } } },
    });
    expect(stateOf(life).escalation?.evidence).toMatchObject({
      context: { earlier_failures: [{ class: "tool" }] },
    });
  });

  it("does not ask when the causes differ", () => {
    expect(ruledIn(again("tool", "network", "tool"))).toEqual([]);
  });
});
