import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { BatchView } from "../../src/protocol/batch.ts";
import { submitFor } from "./batch-submission.ts";
import { Executor, call, ended, eventually, log, submit, view } from "./batuta.ts";

async function batchOf(batch_id: string): Promise<BatchView> {
  return (await call<BatchView>("GET", `/v1/batches/${batch_id}`)).body;
}

/** Claims the next task and brings it to its end. */
async function doNext(agent: Executor, outcome: "success" | "failure" = "success") {
  await agent.claim();
  await agent.start();
  if (outcome === "success") await agent.complete({ by: agent.task_id });
  else await agent.fail({ retry_recommended: false });
  const { status } = await call(
    "POST",
    `/v1/tasks/${agent.task_id}/end`,
    {
      task_id: agent.task_id,
      agent_id: agent.agent_id,
      reason: outcome,
      timestamp: new Date().toISOString(),
      quality_assessment: { overall_score: 0.9 },
      ...(outcome === "failure" && {
        error_information: { error_code: "broken", error_message: "it broke" },
      }),
    },
    agent.lease,
  );
  expect(status).toBe(202);
  return agent.task_id;
}

const finished = (batch_id: string): Promise<BatchView> =>
  eventually(
    () => batchOf(batch_id),
    ({ state }) => state !== "running",
  );

/** How many rows a task's object holds: commits, memo, relations. */
function rowsOf(task_id: string): Promise<number> {
  return runInDurableObject(env.TASK.getByName(`default/${task_id}`), (_instance, { storage }) => {
    const tables = storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
      )
      .toArray();
    return tables.reduce(
      (sum, { name }) =>
        sum + Number(storage.sql.exec(`SELECT count(*) AS n FROM ${name}`).one()["n"]),
      0,
    );
  });
}

describe("a batch over REST", () => {
  it("runs one after the other in mode sequential, whatever became of the one before", async () => {
    const agent = await new Executor("batch-sequential").register();
    const { status, headers, body } = await submitFor(agent, {
      tasks: [{ task_id: "seq-a" }, { task_id: "seq-b" }, { task_id: "seq-c" }],
    });

    expect(status).toBe(202);
    expect(headers.get("location")).toBe(`/v1/batches/${body.batch_id}`);
    expect(body.outcomes).toEqual([
      { index: 0, task_id: "seq-a", status: "pending" },
      { index: 1, task_id: "seq-b", status: "pending" },
      { index: 2, task_id: "seq-c", status: "pending" },
    ]);
    expect(await view("seq-b")).toMatchObject({
      phase: "waiting_dependencies",
      batch_id: body.batch_id,
    });
    expect([await doNext(agent, "failure"), await doNext(agent), await doNext(agent)]).toEqual([
      "seq-a",
      "seq-b",
      "seq-c",
    ]);
    expect(await finished(body.batch_id)).toMatchObject({
      state: "failed",
      counts: { total: 3, completed: 2, failed: 1 },
      stop: null,
    });
  });

  it("lets go no more than max_concurrent in mode parallel", async () => {
    const agent = await new Executor("batch-parallel").register();
    const ids = ["par-a", "par-b", "par-c"];
    const { body } = await submitFor(agent, {
      tasks: ids.map((task_id) => ({ task_id })),
      batch_options: { execution_mode: "parallel", max_concurrent: 2 },
    });

    const phases = await Promise.all(ids.map(async (id) => (await view(id)).phase));
    expect(phases).toEqual(["queued", "queued", "waiting_dependencies"]);
    await doNext(agent);
    await eventually(
      () => view("par-c"),
      ({ phase }) => phase === "queued",
    );
    await doNext(agent);
    await doNext(agent);
    expect(await finished(body.batch_id)).toMatchObject({ state: "completed" });
  });

  it("runs a diamond in legal order, and hands on what the prerequisites gave", async () => {
    const agent = await new Executor("batch-diamond").register();
    const after = (...dependencies: string[]) => ({ parameters: { dependencies } });
    const { body } = await submitFor(agent, {
      tasks: [
        { task_id: "dia-d", ...after("dia-b", "dia-c") },
        { task_id: "dia-b", ...after("dia-a") },
        { task_id: "dia-c", ...after("dia-a") },
        { task_id: "dia-a" },
      ],
      batch_options: { execution_mode: "dependency_based" },
    });

    const order = [await doNext(agent), await doNext(agent), await doNext(agent)];
    const last = await agent.claim();
    await agent.start();
    await agent.complete();
    await agent.end();

    expect(order[0]).toBe("dia-a");
    expect(new Set(order)).toEqual(new Set(["dia-a", "dia-b", "dia-c"]));
    expect(last["task_id"]).toBe("dia-d");
    expect(last["context"]).toMatchObject({
      previous_tasks: expect.arrayContaining([
        expect.objectContaining({ task_id: "dia-b", result: { by: "dia-b" } }),
      ]),
    });
    expect(await finished(body.batch_id)).toMatchObject({ state: "completed" });
  });

  it("stops the rest when one fails, where it is told to", async () => {
    const agent = await new Executor("batch-fast").register();
    const { body } = await submitFor(agent, {
      tasks: [{ task_id: "ff-a" }, { task_id: "ff-b" }, { task_id: "ff-c" }],
      batch_options: { execution_mode: "parallel", max_concurrent: 2, fail_fast: true },
    });

    await doNext(agent, "failure");

    const batch = await finished(body.batch_id);
    expect(batch).toMatchObject({
      state: "failed",
      counts: { failed: 1, cancelled: 2 },
      stop: { reason: "cancelled" },
    });
    const stopped = await view("ff-c");
    expect(stopped).toMatchObject({ end_reason: "cancelled", phase: "ended" });
    expect(stopped.error?.message ?? JSON.stringify(await log("ff-c"))).toContain("fail_fast");
  });

  it("stops what has not ended when its time is over", async () => {
    const agent = await new Executor("batch-late").register();
    const { body } = await submitFor(agent, {
      tasks: [{ task_id: "late-a" }, { task_id: "late-b" }],
      batch_options: { timeout: 60 },
    });
    const stub = env.BATCH.getByName(`default/${body.batch_id}`);

    await runInDurableObject(stub, (instance) => {
      instance.now = () => Date.now() + 60_000;
    });
    await batchOf(body.batch_id);

    expect(await finished(body.batch_id)).toMatchObject({
      state: "timed_out",
      stop: { reason: "timeout" },
    });
    expect(await ended("late-b")).toMatchObject({ end_reason: "timeout" });
  });

  it("is cancelled with everything that has not ended", async () => {
    const agent = await new Executor("batch-cancel").register();
    const { body } = await submitFor(agent, {
      tasks: [{ task_id: "can-a" }, { task_id: "can-b" }],
    });
    await doNext(agent);

    const cancelled = await call<BatchView>("POST", `/v1/batches/${body.batch_id}/cancel`, {
      reason: "not needed any more",
    });

    expect(cancelled.status).toBe(202);
    expect(cancelled.body.stop?.message).toBe("not needed any more");
    expect(await finished(body.batch_id)).toMatchObject({
      state: "cancelled",
      counts: { completed: 1, cancelled: 1 },
    });
  });

  it("goes on when its object was evicted between two ends", async () => {
    const agent = await new Executor("batch-evicted").register();
    const { body } = await submitFor(agent, {
      tasks: [{ task_id: "evi-a" }, { task_id: "evi-b" }, { task_id: "evi-c" }],
    });

    for (const task_id of ["evi-a", "evi-b", "evi-c"]) {
      await batchOf(body.batch_id);
      await evictDurableObject(env.BATCH.getByName(`default/${body.batch_id}`));
      expect(await doNext(agent)).toBe(task_id);
    }

    expect(await finished(body.batch_id)).toMatchObject({ state: "completed" });
  });

  it("costs a row more in a task that had to wait for its turn, and none in one that had not", async () => {
    const agent = await new Executor("batch-rows").register();
    const requires = { capabilities: [agent.agent_id] };
    const live = async (task_id: string): Promise<number> => {
      await agent.claim();
      await agent.start();
      await agent.complete();
      await agent.end();
      await ended(task_id);
      return rowsOf(task_id);
    };

    await submit({ task_id: "rows-plain", requires });
    const plain = await live("rows-plain");
    await call("POST", "/v1/batches", {
      tasks: ["rows-a", "rows-b"].map((task_id) => ({
        task_id,
        requires,
        task_type: "research",
        description: "one task of a batch",
      })),
    });

    expect(await live("rows-a")).toBe(plain);
    expect(await live("rows-b")).toBe(plain + 1);
  });
});
