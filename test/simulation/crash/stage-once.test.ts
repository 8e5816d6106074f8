import { afterEach, describe, expect, it, vi } from "vitest";

import type { EndStage } from "../../../src/task/finish/stage.ts";
import { endStages } from "../../../src/task/finish/stages.ts";
import { assign, beat, end, started, submit, START } from "../../task-life.ts";
import { TaskNode } from "../task-node.ts";
import { portsOf } from "./quiet-ports.ts";

let remove = () => {};
afterEach(() => remove());

let now = START;

function register(run: EndStage["run"]): void {
  remove = endStages.register({ name: "bucket", phase: "cleanup", check: "bucket emptied", run });
}

/** A task whose executor has just said its last word. */
async function ended(
  release: () => Promise<void>,
  changes: Parameters<typeof end>[1] = {},
): Promise<TaskNode> {
  now = START;
  const node = new TaskNode("task-1", portsOf({ release }), () => now);
  for (const command of [submit(), assign(), started(), end("success", changes)]) {
    await node.keeper.apply(command);
  }
  now += 1_000;
  return node;
}

describe("a stage that is done while another of its phase hangs", () => {
  it("is not run again when the machine goes down then", async () => {
    let [runs, isHanging] = [0, true];
    register(async () => {
      runs += 1;
      return "done";
    });
    const node = await ended(() => (isHanging ? new Promise(() => {}) : Promise.resolve()));

    void node.keeper.wake({ hasAlarmFired: true });
    await expect.poll(() => runs).toBe(1);
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

describe("what happens while a stage is running", () => {
  const acknowledgement = beat({ acknowledged: ["cleanup_1_task-1"] });

  it("wakes the stage that waits for it, at once", async () => {
    const running = Promise.withResolvers<"done">();
    const run = vi.fn<EndStage["run"]>(() => running.promise);
    register(run);
    const node = await ended(async () => {}, { cleanup_actions: ["Close the tunnel"] });

    const waking = node.keeper.wake({ hasAlarmFired: true });
    await vi.waitFor(() => expect(run).toHaveBeenCalled());
    expect((await node.keeper.apply(acknowledgement)).ok).toBe(true);
    running.resolve("done");
    await waking;
    expect(node.object.alarmAt).toBeLessThanOrEqual(now);
    await node.wakeIfDue(now);

    expect((await node.state()).phase).toBe("ended");
    node.object.close();
  });

  it("leaves an alarm for a machine that goes down then", async () => {
    register(() => new Promise(() => {}));
    const node = await ended(async () => {}, { cleanup_actions: ["Close the tunnel"] });

    void node.keeper.wake({ hasAlarmFired: true });
    node.object.alarmAt = null;
    await node.keeper.apply(acknowledgement);

    expect(node.object.alarmAt).toBeLessThanOrEqual(now + 5_000);
    node.object.close();
  });

  it("does not hold up whoever looks after the task meanwhile", async () => {
    register(() => new Promise(() => {}));
    const node = await ended(async () => {});

    void node.keeper.wake({ hasAlarmFired: true });
    await node.keeper.wake({ hasAlarmFired: false });

    expect((await node.state()).phase).toBe("finalizing");
    node.object.close();
  });
});
