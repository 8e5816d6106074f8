import { describe, expect, it, vi } from "vitest";

import { passPhase, recordOf } from "../../src/task/finish/run-phase.ts";
import type { PhasePass, PhaseProgress } from "../../src/task/finish/run-phase.ts";
import { StageShortfall } from "../../src/task/finish/stage.ts";
import type { EndStage, SettledState } from "../../src/task/finish/stage.ts";
import { hasVerdict } from "../../src/task/machine/state.ts";
import type { TaskState } from "../../src/task/machine/state.ts";
import type { TaskPorts } from "../../src/task/ports.ts";
import { IN_PHASE, START, end, live, stateOf } from "../task-life.ts";

const LIMIT_MS = 30_000;
const never = () => new Promise<never>(() => {});
const done = async () => "done" as const;
const gone = () => Promise.reject(new Error("gone"));

function settled(state: TaskState = stateOf(live(IN_PHASE.executing(), end("failure")))) {
  if (!hasVerdict(state)) throw new Error("no verdict yet");
  return state;
}

function stageOf(name: string, more: Partial<EndStage> = {}): EndStage {
  return { name, phase: "cleanup", check: `${name} checked`, run: done, ...more };
}

const PORTS: TaskPorts = {
  announce: never,
  release: never,
  publish: never,
  record: never,
  recordedTo: never,
  retentionMs: 0,
  forgottenMs: null,
  missingStakeholders: async () => [],
  remember: never,
  endPhases: {},
  outcomeOf: never,
  poke: never,
  tellParent: never,
  stop: never,
  gateOfBatch: never,
  tellBatch: never,
  log: () => {},
};

/** A phase on a clock of its own, that is passed until it is over or until somebody has to do something. */
class Phase {
  now = START;
  saves = 0;
  failures: string[] = [];
  state: SettledState = settled();
  readonly progress: PhaseProgress;
  readonly #stages: EndStage[];

  constructor(stages: EndStage[], limitMs = LIMIT_MS) {
    this.#stages = stages;
    this.progress = {
      phase: "cleanup",
      started_at: START,
      deadline: START + limitMs,
      settled: {},
      tried: {},
    };
  }

  pass(): Promise<number | null> {
    const pass: PhasePass = {
      progress: this.progress,
      stages: this.#stages,
      now: () => this.now,
      context: () => ({ state: this.state, ports: PORTS, log: () => [] }),
      save: () => (this.saves += 1),
      failed: ({ name }) => this.failures.push(name),
    };
    return passPhase(pass);
  }

  async toTheEnd(): Promise<ReturnType<typeof recordOf>> {
    for (let turn = 0; turn < 50; turn += 1) {
      const until = await this.pass();
      if (until === null) return recordOf(this.progress, this.#stages, this.now);
      this.now = Math.max(this.now, until);
    }
    throw new Error("the phase never ends");
  }
}

describe("an end phase", () => {
  it("is done when its stages are, and those that come last come last", async () => {
    const order: string[] = [];
    const noted = (name: string, more: Partial<EndStage> = {}) =>
      stageOf(name, {
        ...more,
        run: async () => {
          order.push(name);
          return "done";
        },
      });

    const record = await new Phase([noted("slot", { isLast: true }), noted("notes")]).toTheEnd();

    expect(order).toEqual(["notes", "slot"]);
    expect(record).toMatchObject({ name: "cleanup", outcome: "done", attempts: 1 });
    expect(record.checks).toMatchObject([
      { name: "slot checked", passed: true },
      { name: "notes checked", passed: true },
    ]);
  });

  it("cuts a stage that hangs at its limit, and the others are done all the same", async () => {
    const phase = new Phase(
      [stageOf("hanging", { run: never }), stageOf("quick"), stageOf("slot", { isLast: true })],
      60,
    );

    const record = await phase.toTheEnd();

    expect(record.outcome).toBe("timed_out");
    expect(record.checks.map(({ name, passed, detail }) => [name, passed, detail])).toEqual([
      ["hanging checked", false, "cut at its limit"],
      ["quick checked", true, ""],
      ["slot checked", true, ""],
    ]);
  });

  it("tells a stage by its signal that its time is over", async () => {
    let isAborted = false;
    const run: EndStage["run"] = ({ signal }) => {
      signal.addEventListener("abort", () => (isAborted = true));
      return never();
    };

    await new Phase([stageOf("deaf", { run })], 20).toTheEnd();

    expect(isAborted).toBe(true);
  });

  it("tries three times what fails, after pauses that grow, and gives up", async () => {
    const run = vi.fn<EndStage["run"]>(gone);
    const phase = new Phase([stageOf("slot", { run })]);

    const record = await phase.toTheEnd();

    expect(run).toHaveBeenCalledTimes(3);
    expect(phase.now - START).toBe(5_000);
    expect(record).toMatchObject({
      outcome: "fallback",
      attempts: 3,
      checks: [{ passed: false, detail: "failed each time" }],
    });
    expect(phase.failures).toEqual(["slot", "slot", "slot"]);
  });

  it("is done when a later try succeeds", async () => {
    const run = vi.fn<EndStage["run"]>(gone).mockImplementationOnce(gone).mockImplementation(done);

    expect(await new Phase([stageOf("slot", { run })]).toTheEnd()).toMatchObject({
      outcome: "done",
      attempts: 2,
    });
  });

  it("takes the fallback of a stage once, and says so", async () => {
    const fallback = vi.fn<NonNullable<EndStage["fallback"]>>().mockResolvedValue();

    const record = await new Phase([stageOf("slot", { run: gone, fallback })]).toTheEnd();

    expect(fallback).toHaveBeenCalledTimes(1);
    expect(record.checks[0]).toMatchObject({
      passed: false,
      detail: "failed each time; its fallback was taken",
    });
  });

  it("tries no second time what a stage says is hopeless", async () => {
    const run = vi.fn<EndStage["run"]>(() => Promise.reject(new StageShortfall("wh_1 is gone")));

    const record = await new Phase([stageOf("stakeholders", { run })]).toTheEnd();

    expect(run).toHaveBeenCalledTimes(1);
    expect(record).toMatchObject({ outcome: "fallback", checks: [{ detail: "wh_1 is gone" }] });
  });

  it("waits for what has to happen, as long as the stages after it leave it", async () => {
    const phase = new Phase([
      stageOf("actions", { run: async () => "waiting" }),
      stageOf("slot", { isLast: true }),
    ]);

    const until = await phase.pass();
    const record = await phase.toTheEnd();

    expect(until).toBe(START + LIMIT_MS - 5_000);
    expect(record).toMatchObject({
      outcome: "timed_out",
      checks: [{ detail: "not done within its limit" }, { passed: true }],
    });
  });

  it("goes on at once when what a stage waits for has happened", async () => {
    let isThere = false;
    const run: EndStage["run"] = async () => (isThere ? "done" : "waiting");
    const phase = new Phase([stageOf("actions", { run })]);

    await phase.pass();
    isThere = true;
    phase.now += 100;

    expect(await phase.toTheEnd()).toMatchObject({ outcome: "done", attempts: 1 });
    expect(phase.now).toBe(START + 100);
  });

  it("tries once, however late, what was never tried", async () => {
    const run = vi.fn<EndStage["run"]>(done);
    const phase = new Phase([stageOf("slot", { run, isLast: true })]);
    phase.now += 10 * LIMIT_MS;

    expect(await phase.toTheEnd()).toMatchObject({ outcome: "done", attempts: 1 });
  });

  it("counts a word that came while the last stages were running", async () => {
    let isThere = false;
    const phase = new Phase([
      stageOf("actions", { isLocal: true, run: async () => (isThere ? "done" : "waiting") }),
      stageOf("slot", {
        isLast: true,
        run: async () => {
          isThere = true;
          return "done";
        },
      }),
    ]);

    expect(await phase.toTheEnd()).toMatchObject({ outcome: "done" });
    expect(phase.now).toBe(START + LIMIT_MS - 5_000);
  });

  it("is skipped when it has nothing to do", async () => {
    expect(await new Phase([]).toTheEnd()).toMatchObject({
      outcome: "skipped",
      attempts: 0,
      checks: [],
    });
  });

  it("has written what a stage did outside before another is over, and runs it never again", async () => {
    const run = vi.fn<EndStage["run"]>(done);
    const stages = [stageOf("first", { run }), stageOf("slot", { run: gone, isLast: true })];
    const phase = new Phase(stages);

    await phase.pass();
    expect(phase.saves).toBe(1);
    const afterCrash = new Phase(stages);
    Object.assign(afterCrash.progress, JSON.parse(JSON.stringify(phase.progress)));
    await afterCrash.toTheEnd();

    expect(run).toHaveBeenCalledTimes(1);
  });
});
