import { describe, expect, it } from "vitest";

import { KinWorld } from "./kin-world.ts";
import { accepted, codeOf } from "./task-world.ts";

const SECOND = 1_000;

describe("the objects of a family", () => {
  it("roll up what grandchildren use exactly once, and end the subtree that uses too much", async () => {
    const world = new KinWorld();
    await world.submit("root", {
      subtasks: { expected: 2 },
      contract: { budget: { max_tokens: 1_000 } },
    });
    for (const side of ["a", "b"]) {
      await world.submit(`mid-${side}`, { parent_task_id: "root", subtasks: { expected: 1 } });
      await world.submit(`leaf-${side}`, { parent_task_id: `mid-${side}` });
      await world.start(`leaf-${side}`);
    }

    await world.beat("leaf-a", { tokens: 450 });
    await world.pass(3 * SECOND);
    await world.beat("leaf-a", { tokens: 450 });
    await world.evict();
    await world.pass(3 * SECOND);
    const midway = await Promise.all(["root", "mid-a", "mid-b"].map((id) => world.subtasks(id)));
    await world.beat("leaf-a", { tokens: 520 });
    await world.pass(35 * SECOND);
    const commands = await world.beat("leaf-b", { tokens: 10 });
    await world.pass(120 * SECOND);

    expect(midway.map(({ usage }) => usage.tokens)).toEqual([450, 450, 0]);
    expect(await world.types("leaf-a")).toContain("budget_warning");
    const reasons = async (ids: string[]) =>
      Promise.all(ids.map(async (id) => (await world.view(id)).end_reason));
    expect(await reasons(["leaf-a", "mid-a", "root"])).toEqual([
      "resource_exhausted",
      "resource_exhausted",
      "failure",
    ]);
    expect(commands).toEqual(["cancel"]);
    expect(await reasons(["leaf-b", "mid-b"])).toEqual(["cancelled", "cancelled"]);
    expect((await world.subtasks("root")).usage.tokens).toBe(530);
  });

  it("refuse a child beyond the budget, and say what is left", async () => {
    const world = new KinWorld();
    const budget = { max_tokens: 100, max_children: 2, max_depth: 1 };
    await world.submit("root", { contract: { budget } });
    const child = (id: string, own = {}) =>
      world.trySubmit(id, { parent_task_id: "root", contract: { budget: own } });
    accepted(await child("one", { max_tokens: 70 }));

    const tooMuch = await child("two", { max_tokens: 40 });
    accepted(await child("three", { max_tokens: 30 }));
    const tooMany = await child("four", { max_tokens: 0 });
    const tooDeep = await world.trySubmit("five", { parent_task_id: "one" });

    expect([tooMuch, tooMany, tooDeep].map(codeOf)).toEqual(Array(3).fill("budget_exceeded"));
    expect(tooMuch).toMatchObject({ refusal: { extra: { resource: "tokens", left: 30 } } });
    expect(tooMany).toMatchObject({ refusal: { extra: { resource: "children", left: 0 } } });
    expect(tooDeep).toMatchObject({ refusal: { extra: { resource: "depth", left: 0 } } });
    expect((await world.subtasks("root")).subtasks).toHaveLength(2);
  });

  it("forget a child that was adopted but never came to be, and keep one that has not reported yet", async () => {
    const world = new KinWorld();
    await world.submit("root", { contract: { budget: { max_tokens: 100 } } });
    world.ports = { tellParent: async () => Promise.reject(new Error("not reachable")) };
    await world.submit("born", {
      parent_task_id: "root",
      contract: { budget: { max_tokens: 60 } },
    });
    const offer = [{ task_id: "unborn", weight: 1, max_retries: 0, max_tokens: 40 }];
    const adopt = (isTrial: boolean) =>
      world.stub("root").kin(JSON.stringify({ call: "adopt", offers: offer, is_trial: isTrial }));

    accepted(await adopt(false));
    await world.evict();
    await world.pass(29 * SECOND);
    const before = await world.subtasks("root");
    await world.pass(2 * SECOND);
    const afterwards = await world.subtasks("root");

    expect(before.subtasks.map(({ task_id }) => task_id)).toEqual(["born", "unborn"]);
    expect(afterwards.subtasks.map(({ task_id }) => task_id)).toEqual(["born"]);
  });

  it("stop a child that its parent does not know", async () => {
    const world = new KinWorld();
    await world.submit("root");
    world.ports = { tellParent: async () => false };

    await world.submit("stray", { parent_task_id: "root" });
    await world.pass(2 * SECOND);

    expect((await world.view("stray")).end_reason).toBe("cancelled");
  });

  it("are cancelled leaf first, within a bound when an executor is silent", async () => {
    const world = new KinWorld();
    await world.submit("root", { subtasks: { expected: 1 } });
    await world.submit("mid", { parent_task_id: "root", subtasks: { expected: 1 } });
    await world.submit("leaf", { parent_task_id: "mid" });
    await world.start("leaf");
    await world.pass(3 * SECOND);

    await world.cancel("root");
    await world.pass(20 * SECOND);
    const early = await world.view("root");
    await world.pass(15 * SECOND);

    expect(early).toMatchObject({ phase: "executing", end_reason: null });
    const ends = await Promise.all(["leaf", "mid", "root"].map((id) => world.view(id)));
    expect(ends.map(({ end_reason }) => end_reason)).toEqual(Array(3).fill("cancelled"));
    expect(ends.map(({ ended_at }) => ended_at)).toEqual(
      ends.map(({ ended_at }) => ended_at ?? "").toSorted(),
    );
    const command = (await world.events("leaf")).find(
      ({ type }) => type === "command_acknowledged",
    );
    expect(command?.data).toMatchObject({ state: "unresponsive" });
  });

  it("end with their parent's deadline, and stop the others once any has succeeded", async () => {
    const world = new KinWorld();
    await world.submit("root", { subtasks: { expected: 2, join: "any" }, total_timeout: 600 });
    await world.submit("one", { parent_task_id: "root" });
    await world.submit("two", { parent_task_id: "root" });
    await world.pass(SECOND);
    const { deadline_at } = await world.view("two");

    await world.complete("one", "first");
    await world.pass(10 * SECOND);

    const root = await world.view("root");
    expect(Date.parse(deadline_at ?? "")).toBe(Date.parse(root.created_at) + 600 * SECOND);
    expect(root).toMatchObject({ end_reason: "success", result: "first" });
    expect((await world.view("two")).end_reason).toBe("cancelled");
  });

  it.each([
    ["concat", {}, ["a", "b"], "a\n\nb"],
    ["best", {}, ["a", "b"], "b"],
    ["vote", { expected: 3 }, ["b", "a", "a"], "a"],
    ["reduce", { reduce: { op: "sum", json_path: "n" } }, [{ n: 1 }, { n: 2 }], 3],
    [
      "reduce",
      { reduce: { op: "merge" } },
      [
        { a: 1, deep: { x: 1 } },
        { b: 2, deep: { y: 2 } },
      ],
      { a: 1, b: 2, deep: { x: 1, y: 2 } },
    ],
  ])("join their results by %s %j", async (aggregation, more, results, joined) => {
    const world = new KinWorld();
    const subtasks = { expected: results.length, aggregation, ...more };
    await world.submit("root", { subtasks });
    for (const [index, result] of results.entries()) {
      await world.submit(`part-${index}`, { parent_task_id: "root" });
      await world.complete(`part-${index}`, result, 0.8 + index / 100);
    }

    await world.pass(5 * SECOND);

    expect(await world.view("root")).toMatchObject({ end_reason: "success", result: joined });
  });

  it("tell of their weighted progress, in steps, without ever falling back", async () => {
    const world = new KinWorld();
    await world.submit("root", { subtasks: { expected: 2 } });
    await world.submit("heavy", { parent_task_id: "root", weight: 3 });
    await world.submit("light", { parent_task_id: "root" });
    await world.start("heavy");

    for (const progress_percentage of [4, 20, 40, 41]) {
      await world.notify("heavy", "task_progress", { progress_percentage });
      await world.pass(SECOND);
    }
    await world.complete("light", 1);
    await world.pass(2 * SECOND);

    const told = (await world.events("root")).flatMap(({ type, data }) =>
      type === "task_progress" ? [Object(data["data"])["progress_percentage"]] : [],
    );
    expect(told).toEqual([15, 30, 55]);
    expect((await world.view("root")).progress_percentage).toBeCloseTo((3 * 41 + 100) / 4);
  });
});
