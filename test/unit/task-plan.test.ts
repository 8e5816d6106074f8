import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../src/protocol/primitives.ts";
import { assignmentOf } from "../../src/task/answers.ts";
import { explain } from "../../src/task/explain.ts";
import { planOf as planOfStart, silentAt, stallAt } from "../../src/task/machine/plan.ts";
import {
  IN_PHASE,
  START,
  beat,
  later,
  live,
  order,
  progress,
  started,
  stateOf,
  step,
  tick,
  typesOf,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const HOUR_S = 3_600;
const PATIENT = { heartbeat_timeout: HOUR_S, timeout: 10 * HOUR_S };

const startedWith = (estimated_duration: number, changes: JsonObject = {}): Life =>
  live(IN_PHASE.assigned({ ...PATIENT, ...changes }), started({ estimated_duration }));

const planOf = (life: Life) => stateOf(life).holder?.plan;

const seconds = (at: number | null | undefined): number | null =>
  at == null ? null : (at - START) / 1_000;

const stallOf = (life: Life) => {
  const { holder } = stateOf(life);
  return holder === null ? null : seconds(stallAt(holder));
};

const silenceOf = (life: Life) => {
  const state = stateOf(life);
  return state.holder === null ? null : seconds(silentAt(state, state.holder));
};

describe("a rest that no clock can tell", () => {
  it("is shown as the last one that can be believed", () => {
    const life = startedWith(60);
    // As a log from before the contract's bound has it.
    const asked = progress(10);
    const endless = {
      ...asked,
      notification: {
        ...asked.notification,
        data: { ...asked.notification.data, estimated_remaining: 1e300 },
      },
    } as typeof asked;

    const after = live(life, endless);

    expect(planOf(after)?.expected_end_at).toBe(START + 31_536_000_000);
    const { holder } = stateOf(after);
    const plan = { estimate_s: 60, stall_window_s: 300, expected_end_at: 1e300 };
    const stored = { ...stateOf(after), holder: holder && { ...holder, plan } };
    expect(explain(stored, []).waiting_for.some(({ kind }) => kind === "plan")).toBe(true);
  });
});

describe("the plan that task_started makes", () => {
  it.each([
    [60, {}, 300],
    [600, {}, 300],
    [2_000, {}, 1_000],
    [80_000, { timeout: 5_000 }, 5_000],
    [80_000, { timeout: 200 }, 300],
    [2_000, { stall_timeout: 120 }, 120],
    [2_000, { stall_timeout: 300 }, 300],
    [2_000, { stall_timeout: 900 }, 900],
  ])(
    "of an estimate of %i s with %o gives up after %i s without progress",
    (estimate, changes, window) => {
      const life = startedWith(estimate, changes);

      expect(planOf(life)).toEqual({
        estimate_s: estimate,
        expected_end_at: START + estimate * 1_000,
        stall_window_s: window,
      });
      expect(stallOf(life)).toBe(window);
    },
  );

  it("takes the default for chosen by nobody in a task that came in with it filled in", () => {
    const state = stateOf(IN_PHASE.assigned({ ...PATIENT, stall_timeout: 300 }));
    const { is_stall_exact: _, ...origin } = state.origin;

    expect(planOfStart({ ...state, origin }, 2_000, START).stall_window_s).toBe(1_000);
  });

  it("is not what the executor is told: that is the request, the default included", () => {
    const sent = (changes: JsonObject) => assignmentOf(stateOf(IN_PHASE.assigned(changes)));

    expect(sent({})).toMatchObject({ stall_timeout: 300 });
    expect(sent({ stall_timeout: 120 })).toMatchObject({ stall_timeout: 120 });
  });

  it("raises no false alarm in a long task, where a short one is given up", () => {
    const after = (estimate: number) => {
      const life = startedWith(estimate);
      return step(later(live(later(life, 299), beat()), 1), tick).done.events;
    };

    expect(typesOf(after(60))).toContain("lease_expired");
    expect(typesOf(after(3_600))).not.toContain("lease_expired");
  });

  it("expects the end when a progress says how long the rest takes", () => {
    const life = live(later(startedWith(100), 50), progress(10, { estimated_remaining: 400 }));

    expect(planOf(life)).toMatchObject({ estimate_s: 100, expected_end_at: START + 450_000 });
  });

  it("begins anew with the next attempt", () => {
    const lost = step(later(startedWith(2_000, { heartbeat_timeout: 60 }), 60), tick).life;

    expect(stateOf(lost).holder).toBeNull();
    expect(planOf(IN_PHASE.assigned())).toBeNull();
  });

  it("is shown by explain", () => {
    const { waiting_for } = explain(stateOf(startedWith(600)));

    const plan = waiting_for.find(({ kind }) => kind === "plan");
    expect(plan?.detail).toContain("2026-11-22T10:10:00.000Z (estimate 600 s)");
    expect(plan?.detail).toContain("given up at 2026-11-22T10:05:00.000Z");
    expect(explain(stateOf(IN_PHASE.assigned())).waiting_for.map(({ kind }) => kind)).not.toContain(
      "plan",
    );
  });
});

describe("the silence after which somebody asks", () => {
  it.each([
    [{ progress_interval: 20 }, 60],
    [{}, 150],
    [{ stall_timeout: 100 }, 50],
  ])("with %o is %i s", (changes, silence) => {
    expect(silenceOf(startedWith(60, changes))).toBe(silence);
  });
});

describe("a pause", () => {
  const paused = () => {
    const asked = live(startedWith(60), order("pause"));
    return live(later(asked, 100), beat({ acknowledged: ["cmd-pause"] }));
  };

  it("stops the stall clock from its acknowledgement until the executor is told to go on", () => {
    const resting = paused();
    const resumed = live(later(resting, 2_000), order("resume"));

    expect(stallOf(live(startedWith(60), order("pause")))).toBe(300);
    expect(stallOf(resting)).toBeNull();
    expect(silenceOf(resting)).toBeNull();
    expect(step(later(resting, 3_000), tick).done.events).toEqual([]);
    expect(stallOf(resumed)).toBe(100 + 2_000 + 300);
    expect(explain(stateOf(resting)).waiting_for.at(1)?.detail).toContain("it rests since");
  });

  it("is over when the executor makes progress by itself", () => {
    expect(stallOf(live(later(paused(), 50), progress(5)))).toBe(150 + 300);
  });

  it("that is acknowledged after the order to go on does not begin", () => {
    const both = live(startedWith(60), order("pause"), order("resume"));
    const life = live(both, beat({ acknowledged: ["cmd-pause", "cmd-resume"] }));

    expect(stateOf(life).holder?.paused_at).toBeNull();
    expect(stallOf(life)).toBe(300);
  });
});

describe("a progress that says nothing new", () => {
  const said = { current_step: "reading", steps_completed: 3 };

  it("renews the lease, but is no progress", () => {
    const life = live(later(startedWith(60), 200), progress(40, said));
    const repeated = live(later(life, 290), progress(40, { ...said, estimated_remaining: 5 }));
    const stalled = step(later(repeated, 10), tick);

    expect(stateOf(repeated).holder?.heard_at).toBe(START + 490_000);
    expect(stallOf(repeated)).toBe(500);
    expect(typesOf(stalled.done.events)).toContain("lease_expired");
  });

  it.each([
    [41, said],
    [40, { ...said, current_step: "writing" }],
    [40, { ...said, steps_completed: 4 }],
  ])("is not one that says %i %% and %o", (percentage, data) => {
    const life = live(later(startedWith(60), 200), progress(40, said));

    expect(stallOf(live(later(life, 100), progress(percentage, data)))).toBe(600);
  });

  it("answers a person who asks for news, and no rule", () => {
    const silent = step(later(live(startedWith(60), progress(40, said)), 150), tick).life;
    const asked = live(silent, order("request_update"), progress(40, said));
    const moving = live(asked, progress(41, said));

    const states = (life: Life) => stateOf(life).commands.map(({ state }) => state);
    expect(states(asked)).toEqual(["requested", "confirmed"]);
    expect(states(moving)).toEqual(["confirmed", "confirmed"]);
    expect(step(later(asked, 10), tick).done.events).toEqual([]);
  });
});
