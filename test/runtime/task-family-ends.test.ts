import { describe, expect, it } from "vitest";

import { readNews } from "../../src/history/news.ts";
import type { RawNews } from "../../src/history/news.ts";
import { ORCHESTRATOR } from "../task-life.ts";
import { KinWorld } from "./kin-world.ts";
import { accepted, codeOf } from "./task-world.ts";

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

  it("is let go with its parent, whose prerequisite it need not survive itself", async () => {
    const world = new KinWorld();
    await world.submit("first");
    const parameters = { dependencies: ["first"], on_failed_dependency: "block" };
    await world.submit("root", { parameters, subtasks: { expected: 1 } });
    await world.submit("child", { parent_task_id: "root" });
    await world.evict();
    await world.fail("first");
    await world.pass(40 * SECOND);
    const waiting = [await world.view("root"), await world.view("child")];

    const answer = JSON.stringify({ decision: "resume", answer: "go on" });
    accepted(await world.stub("root").resolve("esc_1_root", answer, ORCHESTRATOR));
    await world.pass(2 * SECOND);

    expect(waiting.map(({ phase }) => phase)).toEqual(["awaiting_input", "waiting_dependencies"]);
    expect((await world.view("child")).phase).toBe("queued");
  });

  it("stops nobody who is not its own, and forgets a child that is another's", async () => {
    const world = new KinWorld();
    await world.submit("root", { subtasks: { expected: 1 } });
    await world.submit("stranger");
    const adopt = { call: "adopt", is_trial: false };
    const offers = [{ task_id: "stranger", weight: 1, max_retries: 0 }];
    accepted(await world.stub("root").kin(JSON.stringify({ ...adopt, offers })));
    const adopted = (await world.subtasks("root")).subtasks.length;

    const order = { call: "stop", from: "root", reason: "cancelled", message: "over" };
    accepted(await world.stub("stranger").kin(JSON.stringify(order)));
    await world.pass(60 * SECOND);

    expect(adopted).toBe(1);
    expect((await world.subtasks("root")).subtasks).toEqual([]);
    expect((await world.view("stranger")).status).toBe("pending");
  });

  it("tells each of those that wait for it once, and gives up on one that cannot be told", async () => {
    const world = new KinWorld();
    const pokes = new Map<string, number>();
    world.ports = {
      poke: async (_tenant, task_id) => {
        pokes.set(task_id, (pokes.get(task_id) ?? 0) + 1);
        if (task_id === "broken") throw new Error("not reachable");
      },
    };
    await world.submit("first");
    for (const id of ["broken", "b", "c"]) {
      await world.submit(id, { parameters: { dependencies: ["first"] } });
    }
    await world.pass(SECOND);
    await world.complete("first", 1);

    await world.pass(1_800 * SECOND);

    expect([pokes.get("b"), pokes.get("c")]).toEqual([1, 1]);
    expect(pokes.get("broken")).toBe(15);
    expect(await world.rows("first", "relation")).toBe(0);
  });

  it("joins what fits into a row in bytes, and names the rest by its address", async () => {
    const world = new KinWorld();
    await world.submit("root", { subtasks: { expected: 12 } });
    for (let index = 0; index < 12; index += 1) {
      await world.submit(`k${index}`, { parent_task_id: "root" });
      await world.complete(`k${index}`, "é".repeat(49_000));
    }
    await world.pass(60 * SECOND);

    const { end_reason, result } = await world.view("root");
    const raw: RawNews = JSON.parse(accepted(await world.stub("root").record(0)));
    const message = { tenant: world.tenant, task_id: "root", isRebuild: false };

    expect(end_reason).toBe("success");
    expect(Array.isArray(result) && result.filter((part) => typeof part === "string")).toHaveLength(
      6,
    );
    expect(Object(result)[6]).toEqual({ omitted: "/v1/tasks/k6" });
    expect(readNews(message, raw).ok).toBe(true);
  });

  it("shows many subtasks, with the results that one answer holds", async () => {
    const world = new KinWorld();
    await world.submit("root");
    await world.start("root");
    const ids = Array.from({ length: 40 }, (_, index) => `k${index}`);
    const offers = ids.map((task_id) => ({ task_id, weight: 1, max_retries: 0 }));
    const ask = async (call: object) => world.stub("root").kin(JSON.stringify(call));
    accepted(await ask({ call: "adopt", offers, is_trial: false }));
    const used = { cost_usd: 0, tokens: 0, attempts: 1, children: 0 };
    const ended = { phase: "ended", is_ended: true, status: "completed", end_reason: "success" };
    const told = { ...ended, completion_status: "success", result: "x".repeat(95_000), used };
    const base = { task_type: "general", quality: null, agent_id: null, seq: 9, percentage: 100 };
    for (const task_id of ids) {
      accepted(await ask({ call: "hear", report: { task_id, ...base, ...told, height: 0 } }));
    }
    await world.evict();

    const { subtasks } = await world.subtasks("root");

    expect(subtasks).toHaveLength(40);
    expect(subtasks.filter(({ result }) => typeof result === "string")).toHaveLength(20);
    expect(subtasks.at(-1)?.result).toEqual({ omitted: "/v1/tasks/k39" });
  });
});
