import { describe, expect, it } from "vitest";

import type { JsonObject } from "../../src/protocol/primitives.ts";
import { ringing } from "../../src/task/machine/clocks.ts";
import type { Command } from "../../src/task/machine/commands.ts";
import {
  IN_PHASE,
  START,
  assign,
  beat,
  completed,
  escalated,
  failed,
  finish,
  later,
  live,
  order,
  progress,
  refusalOf,
  started,
  stateOf,
  step,
  tick,
  typesOf,
} from "../task-life.ts";
import type { Life } from "../task-life.ts";

const HOUR_S = 3_600;
/** Limits so wide that only the one that a test sets can ring. */
const PATIENT = { heartbeat_timeout: HOUR_S, stall_timeout: HOUR_S, timeout: HOUR_S };

interface Clock {
  title: string;
  /** The life in which the clock runs, at the instant from which it counts. */
  life: () => Life;
  seconds: number;
  events: string[];
  phase: string;
  /** Members of the last event's data. */
  data: JsonObject;
}

const LOST = ["lease_expired", "retry_scheduled"];
const timedOut = (type: string) => ({ reason: "timeout", error: { type } });

const CLOCKS: Clock[] = [
  {
    title: "the attempt's timeout, from task_started",
    life: () => live(later(IN_PHASE.assigned({ ...PATIENT, timeout: 300 }), 10), started()),
    seconds: 300,
    events: ["lease_expired", "verdict"],
    phase: "finalizing",
    data: timedOut("attempt_timeout"),
  },
  {
    title: "silence after the last notification",
    life: () =>
      live(later(IN_PHASE.executing({ ...PATIENT, heartbeat_timeout: 60 }), 20), progress(1)),
    seconds: 60,
    events: LOST,
    phase: "retry_wait",
    data: { cause: "lease lost: heartbeat", costs_retry: true },
  },
  {
    title: "silence after the last heartbeat",
    life: () => live(later(IN_PHASE.executing({ ...PATIENT, heartbeat_timeout: 60 }), 50), beat()),
    seconds: 60,
    events: LOST,
    phase: "retry_wait",
    data: { cause: "lease lost: heartbeat" },
  },
  {
    title: "silence of an executor without retries left",
    life: () =>
      IN_PHASE.executing({
        ...PATIENT,
        heartbeat_timeout: 60,
        execution_options: { retry_policy: { max_retries: 0 } },
      }),
    seconds: 60,
    events: ["lease_expired", "verdict"],
    phase: "finalizing",
    data: timedOut("lease_lost"),
  },
  {
    title: "an executor that beats but does not start within one lease",
    life: () => {
      const life = IN_PHASE.assigned({ ...PATIENT, heartbeat_timeout: 60 });
      return { ...live(later(life, 30), beat()), now: life.now };
    },
    seconds: 60,
    events: LOST,
    phase: "retry_wait",
    data: { cause: "lease lost: not_started" },
  },
  {
    title: "no progress although the executor beats",
    life: () => {
      const life = IN_PHASE.executing({ ...PATIENT, stall_timeout: 100 });
      const moved = live(later(life, 10), progress(5));
      return { ...live(later(moved, 90), beat()), now: moved.now };
    },
    seconds: 100,
    events: LOST,
    phase: "retry_wait",
    data: { cause: "lease lost: stall" },
  },
  {
    title: "waiting for an executor",
    life: () => IN_PHASE.queued({ queue_timeout: 40 }),
    seconds: 40,
    events: ["verdict"],
    phase: "finalizing",
    data: timedOut("queue_timeout"),
  },
  {
    title: "the whole life, while it is queued",
    life: () => IN_PHASE.queued({ total_timeout: 500 }),
    seconds: 500,
    events: ["verdict"],
    phase: "finalizing",
    data: timedOut("total_timeout"),
  },
  {
    title: "the whole life, while it is executed",
    life: () => IN_PHASE.executing({ ...PATIENT, total_timeout: 500 }),
    seconds: 500,
    events: ["lease_expired", "verdict"],
    phase: "finalizing",
    data: timedOut("total_timeout"),
  },
  {
    title: "the whole life, while it waits for an answer",
    life: () => IN_PHASE.awaiting_input({ ...PATIENT, total_timeout: 500 }),
    seconds: 500,
    events: ["escalation_resolved", "verdict"],
    phase: "finalizing",
    data: timedOut("total_timeout"),
  },
  {
    title: "the longest life of a task that names none",
    life: () => IN_PHASE.queued(),
    seconds: 604_800,
    events: ["verdict"],
    phase: "finalizing",
    data: timedOut("total_timeout"),
  },
  {
    title: "the pause before the first retry",
    life: () => IN_PHASE.retry_wait(),
    seconds: 30,
    events: ["task_ready"],
    phase: "queued",
    data: { reason: "retry" },
  },
  {
    title: "the pause before the second retry, twice as long",
    life: () => {
      const queued = step(later(IN_PHASE.retry_wait(PATIENT), 30), tick).life;
      const again = [assign(2), started(), failed()].map(withToken("token-2"));
      return live(queued, ...again);
    },
    seconds: 60,
    events: ["task_ready"],
    phase: "queued",
    data: { reason: "retry" },
  },
  {
    title: "an executor that does not confirm a cancellation",
    life: () => live(later(IN_PHASE.executing(PATIENT), 5), order("cancel")),
    seconds: 30,
    events: ["lease_expired", "command_acknowledged", "verdict"],
    phase: "finalizing",
    data: { reason: "cancelled", error: null },
  },
  {
    title: "an escalation's deadline without a default option",
    life: () => escalatedFor(90),
    seconds: 90,
    events: ["escalation_resolved", "verdict"],
    phase: "finalizing",
    data: { reason: "escalated" },
  },
  {
    title: "an escalation's deadline with a default option",
    life: () => escalatedFor(90, { default_option: "go on" }),
    seconds: 90,
    events: ["escalation_resolved", "task_ready"],
    phase: "queued",
    data: { reason: "default option" },
  },
  {
    title: "the budget of execution time",
    life: () => IN_PHASE.executing({ ...PATIENT, contract: { budget: { max_duration_s: 120 } } }),
    seconds: 120,
    events: ["lease_expired", "verdict"],
    phase: "finalizing",
    data: { reason: "resource_exhausted", error: { type: "budget_exceeded" } },
  },
];

function withToken(token: string): (command: Command) => Command {
  return (command) =>
    command.type === "assign" || !("token" in command) ? command : { ...command, token };
}

function escalatedFor(seconds: number, more: JsonObject = {}): Life {
  const deadline = new Date(START + seconds * 1_000).toISOString();
  return live(IN_PHASE.executing(PATIENT), escalated({ deadline, ...more }));
}

describe("a clock", () => {
  it.each(CLOCKS)("$title: rings at its instant, once, and not before", (clock) => {
    const life = clock.life();
    const due = life.now + clock.seconds * 1_000;

    const early = step({ ...life, now: due - 1 }, tick).done;
    const rung = step({ ...life, now: due }, tick);
    const again = step(rung.life, tick).done;

    expect(early.events).toEqual([]);
    expect(typesOf(rung.done.events)).toEqual(clock.events);
    expect(rung.done.events.at(-1)).toMatchObject({ at: due, data: clock.data });
    expect(stateOf(rung.life).phase).toBe(clock.phase);
    expect(again.events).toEqual([]);
  });

  it("has not been carried out by looking at it", () => {
    const life = later(IN_PHASE.executing({ ...PATIENT, timeout: 300 }), 300);

    expect(ringing(stateOf(life), life.now)).toEqual(ringing(stateOf(life), life.now));
  });

  it("rings before the command that comes too late", () => {
    const life = later(IN_PHASE.executing({ ...PATIENT, timeout: 300 }), 301);

    const { done } = step(life, completed());

    expect(refusalOf(done)).toBe("task_ended");
    expect(typesOf(done.events)).toEqual(["lease_expired", "verdict"]);
  });

  it("ends a task as timeout, once, however far the clock jumps", () => {
    const life = later(IN_PHASE.executing({ ...PATIENT, timeout: 300 }), 40 * 24 * HOUR_S);

    const over = live(step(step(life, tick).life, tick).life, finish);

    expect(typesOf(over.log).filter((type) => type === "verdict")).toHaveLength(1);
    expect(over.state).toMatchObject({ phase: "ended", verdict: { reason: "timeout" } });
  });

  it("that was due first rings first, also when both are late", () => {
    const life = later(IN_PHASE.executing({ heartbeat_timeout: 60, timeout: 300 }), HOUR_S);

    const { done } = step(life, tick);

    expect(typesOf(done.events)).toEqual(LOST);
  });

  it("lets those ring that it has brought about, in one go", () => {
    const life = later(IN_PHASE.retry_wait({ total_timeout: 500 }), 500);

    const { done } = step(life, tick);

    expect(typesOf(done.events)).toEqual(["task_ready", "verdict"]);
  });

  it("does not run once the verdict is frozen", () => {
    const life = later(IN_PHASE.finalizing({ total_timeout: 500 }), HOUR_S);

    expect(step(life, tick).done.events).toEqual([]);
  });

  it("of the attempt and of the life gain what was granted", () => {
    const life = live(
      IN_PHASE.executing({ ...PATIENT, timeout: 300 }),
      order("grant_resources", { grant: { duration_s: 100 } }),
    );

    expect(step(later(life, 399), tick).done.events).toEqual([]);
    expect(typesOf(step(later(life, 400), tick).done.events)).toContain("verdict");
  });
});

describe("the lease", () => {
  it("is not shortened by a heartbeat that comes with an older clock", () => {
    const life = live(later(IN_PHASE.executing(), 50), beat());

    const back = live(later(life, -20), beat());

    expect(step(later(back, 20 + 59), tick).done.events).toEqual([]);
  });
});
