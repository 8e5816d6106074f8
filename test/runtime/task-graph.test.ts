import { describe, expect, it } from "vitest";

import { KinWorld } from "./kin-world.ts";
import { accepted } from "./task-world.ts";

const SECOND = 1_000;
const after = (...dependencies: string[]) => ({ parameters: { dependencies } });

describe("the objects of a graph of tasks", () => {
  it("let a diamond run in order although all of them are evicted between any two steps", async () => {
    const world = new KinWorld();
    await world.submit("top");
    await world.submit("left", after("top"));
    await world.submit("right", after("top"));
    await world.submit("bottom", after("left", "right"));

    const order = [["top"], ["left", "right"], ["bottom"]];
    for (const wave of order) {
      await world.pass(SECOND);
      await world.evict();
      for (const task_id of wave) {
        expect((await world.view(task_id)).phase).toBe("queued");
        await world.complete(task_id, { made: task_id });
        await world.evict();
      }
    }

    const ready = (await world.events("bottom")).find(({ type }) => type === "task_ready");
    expect(ready?.data).toMatchObject({
      reason: "dependencies",
      prerequisites: [{ result: { made: "left" } }, { result: { made: "right" } }],
    });
    await world.pass(60 * SECOND);
    expect(await Promise.all(["top", "left"].map((id) => world.rows(id, "relation")))).toEqual([
      0, 0,
    ]);
  });

  it("go on when every poke is lost, by asking again themselves", async () => {
    const world = new KinWorld();
    world.ports = { poke: async () => {} };
    await world.submit("first");
    await world.submit("second", after("first"));
    await world.pass(SECOND);

    await world.complete("first", 1);
    await world.pass(5 * SECOND);
    const early = await world.view("second");
    await world.pass(30 * SECOND);

    expect(early.phase).toBe("waiting_dependencies");
    expect((await world.view("second")).phase).toBe("queued");
  });

  it.each([
    ["fail", "failure", "ended", "dependency_failed"],
    ["block", null, "awaiting_input", null],
    ["continue", null, "queued", null],
  ])("with on_failed_dependency %s a failed prerequisite leads to %s", async (...row) => {
    const [on_failed_dependency, end_reason, phase, error] = row;
    const world = new KinWorld();
    await world.submit("first");
    const parameters = { dependencies: ["first"], on_failed_dependency };
    await world.submit("second", { parameters });

    await world.fail("first");
    await world.pass(2 * SECOND);

    const view = await world.view("second");
    expect(view).toMatchObject({ end_reason, phase });
    expect(view.error?.type ?? null).toBe(error);
  });

  it("start a blocked task nevertheless when the escalation is resumed, with what there is", async () => {
    const world = new KinWorld();
    await world.submit("first");
    await world.submit("second", {
      parameters: { dependencies: ["first"], on_failed_dependency: "block" },
    });
    await world.fail("first");
    await world.pass(2 * SECOND);

    const resolution = JSON.stringify({ decision: "resume" });
    const actor = { kind: "operator" as const, id: "op" };
    accepted(await world.stub("second").resolve("esc_1_second", resolution, actor));

    await world.pass(SECOND);

    const last = (await world.events("second")).at(-1);
    expect(last).toMatchObject({
      type: "task_ready",
      data: { prerequisites: [{ task_id: "first", end_reason: "failure" }] },
    });
    expect((await world.view("second")).phase).toBe("queued");
  });

  it("obey their own clocks and commands while they wait", async () => {
    const world = new KinWorld();
    await world.submit("first");
    await world.submit("late", { ...after("first"), total_timeout: 60 });
    await world.submit("unwanted", after("first"));

    await world.cancel("unwanted");
    await world.pass(70 * SECOND);

    expect((await world.view("late")).end_reason).toBe("timeout");
    expect((await world.view("unwanted")).end_reason).toBe("cancelled");
  });

  it("wait for their batch, end when it stops them, and tell it their end until it has heard", async () => {
    const world = new KinWorld();
    const told: string[] = [];
    let isOpen = false;
    let failures = 2;
    world.ports = {
      gateOfBatch: async (_tenant, _batch, task_id) =>
        task_id === "never"
          ? { is_open: false, stop: { reason: "cancelled", message: "the batch failed fast" } }
          : { is_open: isOpen },
      tellBatch: async (_tenant, batch_id, { task_id, end_reason }) => {
        failures -= 1;
        if (failures >= 0) throw new Error("not reachable");
        told.push(`${batch_id} ${task_id} ${end_reason}`);
      },
    };
    const group = {
      batch_id: "b1",
      gates: [{ kind: "batch" as const, batch_id: "b1" }],
      known: [],
    };
    await world.submit("item", {}, group);
    await world.submit("never", {}, group);
    await world.pass(SECOND);
    const waiting = await world.view("item");

    isOpen = true;
    await world.stub("item").poke();
    await world.pass(SECOND);
    await world.complete("item", 1);
    await world.pass(10 * SECOND);

    expect(waiting).toMatchObject({ phase: "waiting_dependencies", batch_id: "b1" });
    expect((await world.view("never")).end_reason).toBe("cancelled");
    expect(told.toSorted()).toEqual(["b1 item success", "b1 never cancelled"]);
  });
});
