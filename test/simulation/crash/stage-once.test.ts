import { afterEach, describe, expect, it, vi } from "vitest";

import { endStages } from "../../../src/task/finish/stages.ts";
import type { TaskPorts } from "../../../src/task/ports.ts";
import { assign, end, started, submit, START } from "../../task-life.ts";
import { TaskNode } from "../task-node.ts";

let remove = () => {};
afterEach(() => remove());

/** Neighbours of whom only the pool matters: its release hangs as long as a test says so. */
function portsOf(isHanging: () => boolean): TaskPorts {
  const nothing = async () => {};
  return {
    announce: nothing,
    release: () => (isHanging() ? new Promise(() => {}) : Promise.resolve()),
    publish: nothing,
    record: nothing,
    isRecorded: async () => true,
    missingStakeholders: async () => [],
    endPhases: {},
    retentionMs: 604_800_000,
    outcomeOf: async () => null,
    poke: nothing,
    tellParent: async () => true,
    stop: nothing,
    gateOfBatch: async () => ({ is_open: true }),
    tellBatch: nothing,
    log: () => {},
  };
}

describe("a stage that is done while another of its phase hangs", () => {
  it("is not run again when the machine goes down then", async () => {
    let [runs, now, isHanging] = [0, START, true];
    remove = endStages.register({
      name: "bucket",
      phase: "cleanup",
      check: "bucket emptied",
      run: async () => {
        runs += 1;
        return "done";
      },
    });
    const node = new TaskNode(
      "task-1",
      portsOf(() => isHanging),
      () => now,
    );
    for (const command of [submit(), assign(), started(), end("success")]) {
      await node.keeper.apply(command);
    }
    now += 1_000;

    void node.keeper.wake({ hasAlarmFired: true });
    await vi.waitFor(() => expect(runs).toBe(1));
    isHanging = false;
    node.evict();
    await node.keeper.wake({ hasAlarmFired: true });

    expect(runs).toBe(1);
    expect((await node.state()).end_phases[0]).toMatchObject({
      name: "cleanup",
      outcome: "done",
      checks: expect.arrayContaining([{ name: "bucket emptied", passed: true, detail: "" }]),
    });
    node.object.close();
  });
});
