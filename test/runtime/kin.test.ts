import { describe, expect, it } from "vitest";

import type { SubtaskView } from "../../src/protocol/subtasks.ts";
import { Executor, call, ended, eventually, log, submit, view } from "./batuta.ts";

/* Dependencies and families from outside, over REST, with real alarms. */

interface Refused {
  code: string;
  errors: { pointer: string }[];
}

/** Has an executor claim a task and do it at once. */
async function doOne(executor: Executor, result: unknown): Promise<string> {
  await executor.claim();
  await executor.start();
  await executor.complete(result);
  await executor.end();
  return executor.task_id;
}

const wants = (capability: string) => ({ requires: { capabilities: [capability] } });
const after = (...dependencies: string[]) => ({ parameters: { dependencies } });

describe("tasks with prerequisites", () => {
  it("run a diamond in a legal order, and hand results on", async () => {
    const executor = await new Executor("kin-diamond").register();
    const base = wants("kin-diamond");
    const top = await submit(base);
    const left = await submit({ ...base, ...after(top.task_id) });
    const right = await submit({ ...base, ...after(top.task_id) });
    const bottom = await submit({ ...base, ...after(left.task_id, right.task_id) });
    expect(bottom).toMatchObject({ phase: "waiting_dependencies", status: "pending" });

    const first = await doOne(executor, { made: "top" });
    const middle = [await doOne(executor, "one"), await doOne(executor, "other")];
    const last = await executor.claim();

    expect(first).toBe(top.task_id);
    expect(middle.toSorted()).toEqual([left.task_id, right.task_id].toSorted());
    expect(last).toMatchObject({
      task_id: bottom.task_id,
      context: {
        previous_tasks: [
          { task_id: left.task_id, completion_status: "success" },
          { task_id: right.task_id, completion_status: "success" },
        ],
      },
    });
    const ready = (await log(bottom.task_id)).find(({ type }) => type === "task_ready");
    expect(ready?.data).toMatchObject({ reason: "dependencies" });
  });

  it("refuse prerequisites that do not exist, themselves, and circles through their parent", async () => {
    const missing = await call<Refused>("POST", "/v1/tasks", {
      task_type: "research",
      description: "waits for nobody",
      ...after("there-is-none"),
    });
    const parent = await submit({ subtasks: { expected: 1 } });
    const dependent = await submit(after(parent.task_id));
    const circle = await call<Refused>("POST", "/v1/tasks", {
      task_type: "research",
      description: "closes a circle",
      parent_task_id: parent.task_id,
      ...after(dependent.task_id),
    });
    const ancestor = await call<Refused>("POST", "/v1/tasks", {
      task_type: "research",
      description: "waits for its parent",
      parent_task_id: parent.task_id,
      ...after(parent.task_id),
    });

    const pointer = "/parameters/dependencies/0";
    expect(missing).toMatchObject({
      status: 422,
      body: { code: "dependency_not_found", errors: [{ pointer }] },
    });
    expect(circle).toMatchObject({
      status: 422,
      body: { code: "dependency_cycle", errors: [{ pointer }] },
    });
    expect(ancestor.body.code).toBe("dependency_cycle");
    expect((await subtasksOf(parent.task_id)).subtasks).toEqual([]);
  });

  it("say whom they wait for, and what would let them go", async () => {
    const first = await submit(wants("kin-nobody"));
    const second = await submit(after(first.task_id));

    const { body } = await call("GET", `/v1/tasks/${second.task_id}/explain`);

    expect(body).toMatchObject({
      phase: "waiting_dependencies",
      waiting_for: [
        { kind: "dependency", detail: `task ${first.task_id}, which is in phase queued` },
        { kind: "clock" },
      ],
      unblocked_by: [`the success of task ${first.task_id}`],
    });
  });

  it("wait for what their context names as previous tasks, and get what it made", async () => {
    const executor = await new Executor("kin-context").register();
    const first = await submit(wants("kin-context"));
    const second = await submit({
      ...wants("kin-context"),
      context: { previous_tasks: [first.task_id, "a-hint-about-elsewhere"] },
    });
    expect(second.phase).toBe("waiting_dependencies");

    await doOne(executor, { found: 1 });
    const claimed = await executor.claim();

    expect(claimed).toMatchObject({
      task_id: second.task_id,
      context: {
        previous_tasks: [
          first.task_id,
          "a-hint-about-elsewhere",
          { task_id: first.task_id, result: { found: 1 } },
        ],
      },
    });
  });
});

async function subtasksOf(task_id: string): Promise<SubtaskView> {
  return (await call<SubtaskView>("GET", `/v1/tasks/${task_id}/subtasks`)).body;
}

async function cancel(task_id: string): Promise<void> {
  await call("POST", `/v1/tasks/${task_id}/commands`, { command: "cancel", reason: "enough" });
}

describe("a parent with subtasks", () => {
  it("is finished by three agents that do one subtask each", async () => {
    const agents = ["kin-a", "kin-b", "kin-c"];
    const executors = await Promise.all(agents.map((name) => new Executor(name).register()));
    const parent = await submit({ subtasks: { expected: 3, aggregation: "concat" } });
    for (const name of agents) {
      await submit({ parent_task_id: parent.task_id, ...wants(name) });
    }

    for (const [index, executor] of executors.entries()) await doOne(executor, [agents[index]]);
    const done = await ended(parent.task_id);

    expect(done).toMatchObject({
      status: "completed",
      end_reason: "success",
      result: agents,
      progress_percentage: 100,
      current_step: "3 of 3 subtasks have ended",
      quality_assessment: { overall_score: 0.9 },
    });
    const { subtasks, usage } = await subtasksOf(parent.task_id);
    expect(subtasks.map(({ agent_id, state }) => [agent_id, state])).toEqual(
      agents.map((name) => [name, "ended"]),
    );
    expect(usage).toEqual({ cost_usd: expect.closeTo(0.03), tokens: 30 });
    const events = await log(parent.task_id);
    expect(events.map(({ type }) => type)).not.toContain("task_assigned");
    expect(events.filter(({ type }) => type === "task_started")).toHaveLength(1);
  });

  it("is cancelled leaf first over three levels", async () => {
    const executor = await new Executor("kin-tree").register();
    const root = await submit({ subtasks: { expected: 1 } });
    const middle = await submit({ parent_task_id: root.task_id, subtasks: { expected: 2 } });
    const held = await submit({ parent_task_id: middle.task_id, ...wants("kin-tree") });
    const free = await submit({ parent_task_id: middle.task_id, ...wants("kin-nobody") });
    await executor.claim();
    await executor.start();
    await eventually(
      () => view(root.task_id),
      ({ phase }) => phase === "executing",
    );

    await cancel(root.task_id);
    await eventually(
      () => view(free.task_id),
      ({ phase }) => phase === "ended",
    );
    const beat = await call<{ commands: { command: string }[] }>(
      "POST",
      `/v1/tasks/${held.task_id}/heartbeat`,
      {},
      executor.lease,
    );
    expect(beat.body.commands).toMatchObject([{ command: "cancel" }]);
    expect((await view(root.task_id)).phase).not.toBe("ended");
    await executor.end("cancelled");
    await ended(root.task_id);

    const tree = await Promise.all([held, middle, root].map(({ task_id }) => view(task_id)));
    expect(tree.map(({ end_reason }) => end_reason)).toEqual(Array(3).fill("cancelled"));
    const ends = tree.map(({ ended_at }) => ended_at ?? "");
    expect(ends).toEqual(ends.toSorted());
  });
});

describe("executors that work on one task", () => {
  it("offer, accept, share and see results, while others see nothing new", async () => {
    const lead = await new Executor("kin-lead").register();
    const helper = await new Executor("kin-helper").register();
    const parent = await submit(wants("kin-lead"));
    const claimed = await lead.claim();
    await lead.start();
    expect(Object.keys(claimed).toSorted()).not.toContain("shared");

    const part = {
      task_id: `part-${parent.task_id}`,
      task_type: "research",
      description: "a part of the whole",
      ...wants("kin-helper"),
    };
    const path = `/v1/tasks/${parent.task_id}`;
    const offered = await call("POST", `${path}/subtasks`, { subtasks: [part] }, lead.lease);
    const again = await call("POST", `${path}/subtasks`, { subtasks: [part] }, lead.lease);
    const stranger = await call(
      "POST",
      `${path}/subtasks`,
      { subtasks: [part] },
      {
        "lease-token": "not-mine",
      },
    );
    const bad = await call<Refused>(
      "POST",
      `${path}/subtasks`,
      { subtasks: [{ ...part, task_id: `other-${parent.task_id}`, ...after("none") }] },
      lead.lease,
    );

    const outcomes = [{ index: 0, task_id: part.task_id, status: "pending" }];
    expect([offered.status, offered.body, again.body]).toEqual([202, { outcomes }, { outcomes }]);
    expect(stranger.body).toMatchObject({ code: "lease_lost" });
    expect(bad.body).toMatchObject({
      code: "dependency_not_found",
      errors: [{ pointer: "/subtasks/0/parameters/dependencies/0" }],
    });
    expect((await subtasksOf(parent.task_id)).subtasks).toMatchObject([{ state: "offered" }]);

    await helper.claim();
    await helper.start();
    const shared = `${path}/shared-context`;
    await call("PATCH", shared, { patch: { terms: { a: 1 } } }, lead.lease);
    const change = { subtask_id: part.task_id, patch: { terms: { b: 2 } } };
    const changed = await call("PATCH", shared, change, helper.lease);
    const denied = await call("PATCH", shared, change, { "lease-token": "not-mine" });
    expect(changed.body).toMatchObject({ context: { terms: { a: 1, b: 2 } } });
    expect(denied.body).toMatchObject({ code: "lease_lost" });
    expect((await call("GET", shared)).body).toMatchObject({ context: { terms: { a: 1, b: 2 } } });

    await helper.complete({ part: "done" });
    await helper.end();
    const seen = await eventually(
      () => subtasksOf(parent.task_id),
      ({ subtasks }) => subtasks[0]?.state === "ended",
    );
    expect(seen.subtasks).toMatchObject([
      { agent_id: "kin-helper", completion_status: "success", result: { part: "done" } },
    ]);
    await lead.complete({ whole: true });
    await lead.end();
    expect((await ended(parent.task_id)).result).toEqual({ whole: true });
  });
});
