import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { eventTypeSchema } from "../../src/protocol/enums.ts";
import type { JsonObject } from "../../src/protocol/primitives.ts";
import { blankTask, evolve } from "../../src/task/machine/evolve.ts";
import { totalDeadline } from "../../src/task/machine/limits.ts";
import { CANCEL_GRACE_MS, END_GRACE_MS } from "../../src/task/machine/state.ts";
import type { LoggedEvent, TaskState } from "../../src/task/machine/state.ts";
import { isOpenCancel } from "../../src/task/machine/verdict.ts";
import { ORIGIN, START, request, stateOf, step, tick } from "../task-life.ts";
import type { Life } from "../task-life.ts";
import { liveOn, liveThrough, lives } from "../task-moves.ts";
import type { LifePlan } from "../task-moves.ts";

const stored = (event: LoggedEvent): LoggedEvent => JSON.parse(JSON.stringify(event));

function folded(life: Life, changes: JsonObject): TaskState {
  const start = blankTask(ORIGIN, request(changes), START);
  const state = life.log.map(stored).reduce(evolve, start);
  const { memo, family } = stateOf(life);
  return { ...state, memo, family };
}

const OPENS: readonly string[] = ["task_assigned"];
const CLOSES: readonly string[] = [
  "task_declined",
  "lease_expired",
  "retry_scheduled",
  "task_escalated",
  "agent_end_task",
];

/** Tries many lives: enough to have met, in each run, every event but the rarest. */
function holds(law: (plan: LifePlan) => void): void {
  fc.assert(fc.property(lives, law), { numRuns: 300 });
}

describe("whatever happens to a task", () => {
  it("is put through every kind of event by these lives", () => {
    const met = new Set<string>();
    for (const plan of fc.sample(lives, { numRuns: 1_500, seed: 42 })) {
      for (const { type } of liveOn(liveThrough(plan)).log) met.add(type);
    }

    const foreign = ["agent_status", "system_alert"];
    expect([...met, ...foreign].toSorted()).toEqual(eventTypeSchema.options.toSorted());
  });

  it("numbers its events without gaps and never goes back in time", () => {
    holds((plan) => {
      const { log } = liveOn(liveThrough(plan));

      expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
      expect(log.map(({ at }) => at)).toEqual(log.map(({ at }) => at).toSorted((a, b) => a - b));
    });
  });

  it("is the fold of its stored log and its memo", () => {
    holds((plan) => {
      const midway = liveThrough(plan);
      const over = liveOn(midway);

      expect(folded(midway, plan.changes)).toEqual(midway.state);
      expect(folded(over, plan.changes)).toEqual(over.state);
    });
  });

  it("has at most one holder, and gives the lease away only after it was closed", () => {
    holds((plan) => {
      const { log } = liveOn(liveThrough(plan));

      let open = 0;
      for (const { type } of log) {
        if (OPENS.includes(type)) open += 1;
        if (CLOSES.includes(type)) open = 0;
        expect(open).toBeLessThanOrEqual(1);
      }
    });
  });

  it("is not changed by whoever has no valid token, nor by anything that it refuses", () => {
    holds((plan) => {
      liveThrough(plan, (before, command, { life, done }) => {
        const isFenced = "token" in command && command.type !== "assign";
        const holder = step(before, tick).life.state?.holder ?? null;
        const isStale = isFenced && command.token !== holder?.token;
        if (done.decision.ok && !isStale) return;

        expect(life.state).toEqual(step(before, tick).life.state);
        expect(done.memo).toBeNull();
      });
    });
  });

  it("never changes a verdict once it is frozen, and speaks only one", () => {
    holds((plan) => {
      const midway = liveThrough(plan, (before, _command, { life }) => {
        if (before.state?.verdict == null) return;
        const { verdict, status } = before.state;

        expect(life.state).toMatchObject({ verdict, status });
      });

      const { log } = liveOn(midway);
      expect(log.filter(({ type }) => type === "verdict")).toHaveLength(1);
    });
  });

  it("ends exactly once when the clock runs on, in time, with nothing after the end", () => {
    holds((plan) => {
      const midway = liveThrough(plan);
      const over = liveOn(midway);

      const state = stateOf(over);
      expect(state).toMatchObject({ phase: "ended", holder: null });
      expect(over.log.filter(({ type }) => type === "agent_end_task")).toHaveLength(1);
      expect(over.log.at(-1)?.type).toBe("agent_end_task");
      const latest = Math.max(midway.now, totalDeadline(state)) + END_GRACE_MS;
      const forChildren = state.family === null ? 0 : 2 * CANCEL_GRACE_MS;
      expect(state.ended_at ?? Number.POSITIVE_INFINITY).toBeLessThanOrEqual(latest + forChildren);
    });
  });

  it("has no open escalation and no open cancellation once its verdict is spoken", () => {
    holds((plan) => {
      liveThrough(plan, (_before, _command, { life }) => {
        if (life.state?.verdict == null) return;
        const { escalation, commands } = life.state;

        expect(escalation?.state).not.toBe("open");
        expect(commands.filter(isOpenCancel)).toEqual([]);
      });
    });
  });

  it("leaves no command and no escalation open at its end", () => {
    holds((plan) => {
      const { escalation, commands } = stateOf(liveOn(liveThrough(plan)));

      expect(escalation?.state).not.toBe("open");
      const cancels = commands.filter(({ command }) => command === "cancel");
      expect(cancels.map(({ state }) => state)).not.toContain("requested");
      expect(cancels.map(({ state }) => state)).not.toContain("acknowledged");
    });
  });

  it("never lets the progress of an attempt fall", () => {
    holds((plan) => {
      liveThrough(plan, (before, _command, { life }) => {
        if (before.state === null || life.state?.attempt !== before.state.attempt) return;
        const percentage = life.state.progress?.percentage ?? 0;
        expect(percentage).toBeGreaterThanOrEqual(before.state.progress?.percentage ?? 0);
      });
    });
  });

  it("counts no more attempts than it announces", () => {
    holds((plan) => {
      const state = stateOf(liveThrough(plan));

      const { max_retries } = state.task.execution_options.retry_policy;
      expect(state.attempt).toBeLessThanOrEqual(1 + max_retries + state.uncounted_attempts);
    });
  });

  it("is not changed by a repeated submission, notification or end", () => {
    holds((plan) => {
      liveThrough(plan, (_before, command, { life, done }) => {
        if (!["submit", "notify", "end"].includes(command.type) || !done.decision.ok) return;
        if (done.decision.value.hold !== undefined) return;
        // Only what the clock brings by itself may follow.
        const ticked = step(life, tick);
        const again = step(life, command);

        expect(again.done.decision.ok).toBe(true);
        expect(again.life).toEqual(ticked.life);
      });
    });
  });
});
