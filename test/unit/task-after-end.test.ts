import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { endReasonSchema } from "../../src/protocol/enums.ts";
import type { EndReason } from "../../src/protocol/enums.ts";
import { outcomeOf } from "../../src/task/kin/outcome.ts";
import { finishDueAt } from "../../src/task/machine/clocks.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import { CANCEL_GRACE_MS, END_GRACE_MS } from "../../src/task/machine/state.ts";
import { completionStatusOf } from "../../src/task/machine/verdict.ts";
import { viewOf } from "../../src/task/view.ts";
import { end, live, IN_PHASE, progress, stateOf, step } from "../task-life.ts";
import { liveOn, liveThrough, lives } from "../task-moves.ts";

const RUNS = { numRuns: 300 };

/** The rule of protocol.md §2, written down apart from the code under test. */
function derived(reason: EndReason, isPartial: boolean): string {
  if (reason === "success" || reason === "cancelled") return reason;
  return isPartial ? "partial" : "failure";
}

/** What is answered after the end: repetitions of what was accepted, and what only looks at the clock or at kin. */
const ANSWERED: readonly Command["type"][] = [
  "submit",
  "end",
  "notify",
  "tick",
  "finish",
  "family",
  "gates",
  "stop",
];

describe("the completion status", () => {
  const cases = endReasonSchema.options.flatMap((reason) =>
    [true, false].map((isPartial): [EndReason, boolean] => [reason, isPartial]),
  );

  it.each(cases)("of %s with partial results %s follows from these two", (reason, isPartial) => {
    const before = isPartial
      ? live(IN_PHASE.executing(), progress(40, { intermediate_results: { rows: 4 } }))
      : IN_PHASE.executing();

    const state = stateOf(live(before, end(reason)));

    expect(completionStatusOf(reason, isPartial)).toBe(derived(reason, isPartial));
    expect(viewOf(state).completion_status).toBe(derived(reason, isPartial));
    expect(outcomeOf(state).completion_status).toBe(derived(reason, isPartial));
  });

  it("is the same wherever it is told, whatever happened to the task", () => {
    fc.assert(
      fc.property(lives, (plan) => {
        const { log, state } = liveOn(liveThrough(plan));
        const said = log.find(({ type }) => type === "verdict")?.data;
        if (state === null || state.verdict === null) throw new Error("a life has a verdict");
        const { reason, hasPartialResults } = state.verdict;

        const status = derived(reason, hasPartialResults);
        expect(said).toMatchObject({ reason, completion_status: status });
        expect(viewOf(state)).toMatchObject({ end_reason: reason, completion_status: status });
        expect(outcomeOf(state)).toMatchObject({ end_reason: reason, completion_status: status });
      }),
      RUNS,
    );
  });
});

describe("a task that is over", () => {
  it("takes nothing more, whatever comes: no event, no fact, and a refusal for all that is new", () => {
    const met = new Set<string>();
    fc.assert(
      fc.property(lives, lives, (plan, after) => {
        const over = liveOn(liveThrough(plan));
        let now = over.now;
        for (const { wait_ms, plan: next } of after.moves) {
          now += wait_ms;
          const command = next(over.state);
          const { life, done } = step({ ...over, now }, command);

          expect(done).toMatchObject({ events: [], memo: null });
          expect(life.state).toEqual(over.state);
          met.add(`${command.type} ${done.decision.ok ? "answered" : "refused"}`);
          if (!done.decision.ok) continue;
          expect(ANSWERED).toContain(command.type);
          const { hold, repeated_seq } = done.decision.value;
          expect(hold).toBeUndefined();
          expect(command.type !== "notify" || repeated_seq !== undefined).toBe(true);
        }
      }),
      RUNS,
    );

    const refused = ["assign", "decline", "heartbeat", "notify", "order", "resolve"];
    expect([...met]).toEqual(expect.arrayContaining(refused.map((type) => `${type} refused`)));
  });
});

describe("the time from the verdict to the end phases", () => {
  it("is at most the grace of the executor, or of the children, whatever comes meanwhile", () => {
    fc.assert(
      fc.property(lives, (plan) => {
        liveThrough(plan, (_before, _command, { life }) => {
          const { state } = life;
          if (state === null || state.verdict === null || state.phase === "ended") return;
          const due = finishDueAt(state);
          const forChildren = state.family === null ? 0 : 2 * (CANCEL_GRACE_MS + 10_000);
          const most = state.verdict.at + Math.max(END_GRACE_MS, forChildren);

          expect(due).toBeGreaterThanOrEqual(state.verdict.at);
          expect(due).toBeLessThanOrEqual(most);
        });
      }),
      RUNS,
    );
  });
});
