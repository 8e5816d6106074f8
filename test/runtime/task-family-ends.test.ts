import { describe, expect, it } from "vitest";

import { ORCHESTRATOR } from "../task-life.ts";
import { KinWorld } from "./kin-world.ts";
import { codeOf } from "./task-world.ts";

const SECOND = 1_000;

describe("a family that ends", () => {
  it("lets the alarm of a composite task rest while the slowest child is asked to stop", async () => {
    const world = new KinWorld();
    await world.submit("root", { subtasks: { expected: 3 } });
    for (const id of ["a", "b", "slow"]) await world.submit(id, { parent_task_id: "root" });
    await world.start("slow");
    await world.pass(2 * SECOND);

    await world.cancel("root");
    await world.pass(5 * SECOND);
    const meanwhile = await world.view("root");
    await world.pass(60 * SECOND);

    expect(meanwhile.phase).not.toBe("ended");
    expect((await world.view("a")).phase).toBe("ended");
    expect(await world.view("root")).toMatchObject({ phase: "ended", end_reason: "cancelled" });
  });

  it("brings no task back whose question is answered after its end", async () => {
    const world = new KinWorld();
    await world.submit("root", { contract: { budget: { max_tokens: 100 } } });
    await world.start("root");
    await world.submit("child", { parent_task_id: "root" });
    await world.start("child");
    await world.notify("root", "task_escalated", {});
    await world.beat("child", { tokens: 150 });
    await world.pass(120 * SECOND);

    const answer = JSON.stringify({ decision: "resume", answer: "go on" });
    const answered = await world.stub("root").resolve("esc_1_root", answer, ORCHESTRATOR);
    await world.pass(60 * SECOND);

    expect(codeOf(answered)).toBe("escalation_closed");
    expect((await world.view("root")).phase).toBe("ended");
    expect((await world.types("root")).at(-1)).toBe("agent_end_task");
  });
});
