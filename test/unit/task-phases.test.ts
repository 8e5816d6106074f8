import { describe, expect, it, vi } from "vitest";

import { reportSchema } from "../../src/protocol/task-view.ts";
import { finishTask } from "../../src/task/finish/finish.ts";
import { runPhase } from "../../src/task/finish/phases.ts";
import type { EndStage } from "../../src/task/finish/phases.ts";
import type { TaskPorts } from "../../src/task/ports.ts";
import { IN_PHASE, START, end, live, stateOf } from "../task-life.ts";

const DEBT = { what: "a slot", owner: "the pool", expires_at: null };
const stage = (run: EndStage["run"]): EndStage => ({
  phase: "cleanup",
  check: "slot released",
  run,
  debt: DEBT,
});
const never = () => new Promise<void>(() => {});
const now = () => START;

describe("an end phase", () => {
  it("is done when its work is", async () => {
    const { record, debt } = await runPhase("cleanup", [stage(async () => {})], START + 50, now);

    expect(record).toMatchObject({
      name: "cleanup",
      outcome: "done",
      attempts: 1,
      checks: [{ name: "slot released", passed: true }],
    });
    expect(debt).toEqual([]);
  });

  it("is cut at its limit when its work hangs, and leaves the debt", async () => {
    const { record, debt } = await runPhase("cleanup", [stage(never)], START + 20, now);

    expect(record).toMatchObject({ outcome: "timed_out", checks: [{ passed: false }] });
    expect(debt).toEqual([DEBT]);
  });

  it("tries three times what fails, and takes the fallback", async () => {
    const run = vi.fn<EndStage["run"]>().mockRejectedValue(new Error("gone"));

    const { record, debt } = await runPhase("cleanup", [stage(run)], START + 50, now);

    expect(run).toHaveBeenCalledTimes(3);
    expect(record).toMatchObject({
      outcome: "fallback",
      attempts: 3,
      checks: [{ detail: "failed each time" }],
    });
    expect(debt).toEqual([DEBT]);
  });

  it("is done when a later try succeeds", async () => {
    const run = vi.fn<EndStage["run"]>().mockRejectedValueOnce(new Error("busy"));
    run.mockResolvedValue();

    const { record } = await runPhase("cleanup", [stage(run)], START + 50, now);

    expect(record).toMatchObject({ outcome: "done", attempts: 2 });
  });

  it("tries nothing more once its time is over", async () => {
    let clock = START;
    const run = vi.fn<EndStage["run"]>(() => {
      clock += 100;
      return Promise.reject(new Error("slow"));
    });

    const { record } = await runPhase("cleanup", [stage(run)], START + 50, () => clock);

    expect(run).toHaveBeenCalledTimes(1);
    expect(record.outcome).toBe("timed_out");
  });

  it("goes on with the next piece of work when one hangs, and is as bad as its worst", async () => {
    const stages = [stage(never), stage(async () => {})];

    const { record } = await runPhase("cleanup", stages, START + 20, now);

    expect(record.outcome).toBe("timed_out");
    expect(record.checks).toHaveLength(2);
  });

  it("is skipped when it has nothing to do", async () => {
    const { record } = await runPhase("reporting", [stage(never)], START + 20, now);

    expect(record).toMatchObject({ outcome: "skipped", attempts: 0, checks: [] });
  });
});

function ports(release: TaskPorts["release"]): TaskPorts {
  const unused = () => Promise.reject(new Error("not to be called"));
  return {
    announce: unused,
    release,
    publish: unused,
    record: unused,
    isRecorded: unused,
    outcomeOf: unused,
    poke: unused,
    tellParent: unused,
    stop: unused,
    gateOfBatch: unused,
    tellBatch: unused,
    log: () => {},
  };
}

describe("finishing a task", () => {
  it("releases the slot of the attempt that holds it, or of the one that was to come", async () => {
    const release = vi.fn<TaskPorts["release"]>().mockResolvedValue();
    const held = stateOf(IN_PHASE.finalizing());
    const free = stateOf(live(IN_PHASE.executing(), end("cancelled")));

    await finishTask(held, { ports: ports(release), due: START, now });
    await finishTask({ ...free, holder: null }, { ports: ports(release), due: START, now });

    expect(release.mock.calls.map(([, , { attempt }]) => attempt)).toEqual([1, 2]);
  });

  it("comes to its report when the release hangs: cut at the limit, the others done, debt named", async () => {
    const state = stateOf(IN_PHASE.finalizing());

    const { phases, report } = await finishTask(state, {
      ports: ports(never),
      due: START,
      now,
      limitMs: 20,
    });

    expect(phases.map(({ name, outcome }) => [name, outcome])).toEqual([
      ["cleanup", "timed_out"],
      ["reporting", "done"],
      ["notification", "done"],
    ]);
    expect(report).toMatchObject({
      cleanup_debt: [{ what: "the slot of attempt 1", owner: "pool default" }],
      finalization: { problems: ["cleanup ended as timed_out"] },
    });
    expect(reportSchema.parse({ ...report, timeline: [] })).toBeDefined();
  });

  it("cannot begin before the verdict", async () => {
    const finishing = finishTask(stateOf(IN_PHASE.executing()), {
      ports: ports(async () => {}),
      due: START,
      now,
    });

    await expect(finishing).rejects.toThrow("verdict");
  });
});
