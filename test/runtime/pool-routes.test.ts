import { describe, expect, it } from "vitest";

import { agentViewSchema } from "../../src/protocol/agent.ts";
import type { AgentView } from "../../src/protocol/agent.ts";
import { poolSnapshotSchema } from "../../src/protocol/pool-snapshot.ts";
import type { PoolSnapshot } from "../../src/protocol/pool-snapshot.ts";
import type { Explanation, TaskEvent } from "../../src/protocol/task-view.ts";
import { call, eventually, Executor, submit } from "./batuta.ts";

const unique = (word: string) => `${word}-${crypto.randomUUID().slice(0, 8)}`;

/** An executor and a pool of its own, so that nothing else is in the snapshot. */
async function newPool(slots = 2): Promise<{ agent: Executor; pool: string }> {
  const agent = new Executor(unique("agent"));
  const pool = unique("pool");
  await register(agent, { slots, pools: [pool] });
  return { agent, pool };
}

const register = (agent: Executor, more: object) =>
  call<AgentView>("PUT", `/v1/agents/${agent.agent_id}`, {
    capabilities: [agent.agent_id],
    task_types: ["research"],
    ...more,
  });

const taskFor = (agent: Executor, pool: string, more: object = {}) =>
  submit({ pool, requires: { capabilities: [agent.agent_id] }, ...more });

const snapshotOf = async (pool: string) => {
  const { status, body } = await call<PoolSnapshot>("GET", `/v1/pools/${pool}/snapshot`);
  expect(status).toBe(200);
  return poolSnapshotSchema.parse(body);
};

const viewOf = async ({ agent_id }: Executor) =>
  agentViewSchema.parse((await call("GET", `/v1/agents/${agent_id}`)).body);

describe("draining over REST", () => {
  it("gives an executor nothing more until it is activated, also when it registers again", async () => {
    const { agent, pool } = await newPool();
    await taskFor(agent, pool);
    await agent.claim();

    const drained = await call<AgentView>("POST", `/v1/agents/${agent.agent_id}/drain`);
    await register(agent, { slots: 3, pools: [pool] });
    await taskFor(agent, pool);
    const asked = await call("POST", `/v1/agents/${agent.agent_id}/claim`, { wait_seconds: 0 });
    const whileDraining = await viewOf(agent);
    const activated = await call<AgentView>("POST", `/v1/agents/${agent.agent_id}/activate`);
    await agent.claim();

    expect([drained.status, drained.body.state]).toEqual([200, "draining"]);
    expect(asked.body).toEqual({ tasks: [] });
    expect(whileDraining).toMatchObject({ state: "draining", slots: 3, slots_in_use: 1 });
    expect([activated.status, activated.body.state]).toEqual([200, "online"]);
    expect((await viewOf(agent)).slots_in_use).toBe(2);
  });

  it("is for executors that exist and are one's own", async () => {
    const unknown = await call("POST", "/v1/agents/nobody-here/drain");
    const strange = await call("POST", "/v1/agents/nobody-here/drain", { force: true });
    expect(strange).toMatchObject({ status: 400, body: { errors: [{ pointer: "/force" }] } });
    const builtin = await call("POST", "/v1/agents/sam/drain");

    expect([unknown.status, unknown.body["code"]]).toEqual([404, "agent_not_found"]);
    expect([builtin.status, builtin.body["code"]]).toEqual([403, "agent_not_yours"]);
  });
});

describe("the snapshot over REST", () => {
  it("shows what waits and who works, and the decision that follows refers to it", async () => {
    const { agent, pool } = await newPool();
    const task = await taskFor(agent, pool, { priority: "high" });
    await taskFor(agent, pool, { priority: "low" });

    const snapshot = await snapshotOf(pool);
    await agent.claim();
    const events = await call<{ items: TaskEvent[] }>("GET", `/v1/tasks/${task.task_id}/events`);
    const routed = events.body.items.find(({ type }) => type === "task_routed");

    expect(snapshot).toMatchObject({
      pool,
      ready: { critical: 0, high: 1, normal: 0, low: 1 },
      reserved: 0,
      agents: [
        { agent_id: agent.agent_id, state: "online", slots: 2, slots_in_use: 0 },
        { agent_id: "sam" },
      ],
    });
    expect(routed?.data).toMatchObject({
      snapshot_id: snapshot.snapshot_id,
      ready: 2,
      agents_online: 2,
    });
    expect(await snapshotOf(pool)).toMatchObject({ reserved: 1, ready: { high: 0, low: 1 } });
  });

  it("is of no pool that nobody has ever used", async () => {
    const { status, body } = await call("GET", `/v1/pools/${unique("unknown")}/snapshot`);

    expect([status, body["code"]]).toEqual([404, "pool_not_found"]);
    expect((await call("GET", "/v1/pools/default/snapshot")).status).toBe(200);
    expect((await call("GET", "/v1/pools/no%20name/snapshot")).status).toBe(400);
  });
});

describe("reputation over REST", () => {
  it("shows what became of the tasks that an executor had", async () => {
    const { agent, pool } = await newPool();
    await taskFor(agent, pool);
    await agent.claim();
    await agent.start();
    await agent.complete();
    await agent.end();
    await taskFor(agent, pool, { execution_options: { retry_policy: { max_retries: 0 } } });
    await eventually(
      () => viewOf(agent),
      (view) => view.stats?.completed === 1,
    );
    await agent.claim();
    await agent.start();
    await agent.fail();
    await call(
      "POST",
      `/v1/tasks/${agent.task_id}/end`,
      {
        task_id: agent.task_id,
        agent_id: agent.agent_id,
        reason: "failure",
        timestamp: new Date().toISOString(),
        error_information: { error_code: "E1", error_message: "it broke" },
      },
      agent.lease,
    );

    const { stats } = await eventually(
      () => viewOf(agent),
      (view) => view.stats?.failed === 1,
    );

    expect(stats).toMatchObject({
      assigned: 2,
      released: 2,
      accept_rate: 1,
      on_time_rate: 1,
      lease_loss_rate: 0,
      per_task_type: { research: { quality: 0.9, cost_usd: 0.01 } },
    });
    expect(stats?.success_rate).toBeCloseTo(0.495, 2);
  });
});

describe("explaining over REST", () => {
  it("says who could have a task, with scores, when it may start and what would help", async () => {
    const { agent, pool } = await newPool(1);
    await taskFor(agent, pool);
    await agent.claim();
    const next = await taskFor(agent, pool);

    const { body } = await call<Explanation>("GET", `/v1/tasks/${next.task_id}/explain`);

    expect(body.waiting_for).toContainEqual({
      kind: "candidate",
      detail: expect.stringMatching(/: fits, 0 of 1 slots free, online, score \d/),
    });
    expect(body).toMatchObject({
      unblocked_by: [`${agent.agent_id} frees a slot`],
      estimated_start: null,
    });
  });

  it("expects a start at once where a fitting executor has a slot, and none where nobody fits", async () => {
    const { agent, pool } = await newPool();
    const free = await taskFor(agent, pool);
    const impossible = await taskFor(agent, pool, { requires: { capabilities: ["flying"] } });
    const explain = async (task_id: string) =>
      (await call<Explanation>("GET", `/v1/tasks/${task_id}/explain`)).body;

    expect(Date.parse((await explain(free.task_id)).estimated_start ?? "")).not.toBeNaN();
    expect(await explain(impossible.task_id)).toMatchObject({
      estimated_start: null,
      unblocked_by: ["an executor that fits registers in this pool"],
    });
  });
});

describe("conditions on labels over REST", () => {
  it("send a task to whom they fit, and are refused when they lack a value", async () => {
    const { agent, pool } = await newPool();
    const other = new Executor(unique("agent"));
    await register(agent, { labels: { cores: 8 }, pools: [pool] });
    await register(other, { labels: { cores: 4 }, pools: [pool] });
    const requires = { labels: { cores: { op: "gte", value: 6 } } };
    const task = await submit({ pool, requires });

    const unfit = await call("POST", `/v1/agents/${other.agent_id}/claim`, { wait_seconds: 0 });
    await agent.claim();
    const refused = await call<{ errors: { pointer: string }[] }>("POST", "/v1/tasks", {
      task_type: "research",
      description: "a task with a broken wish",
      requires: { labels: { cores: { op: "gte" } } },
    });

    expect(unfit.body).toEqual({ tasks: [] });
    expect(agent.task_id).toBe(task.task_id);
    expect(refused.status).toBe(400);
    expect(refused.body.errors.map(({ pointer }) => pointer)).toEqual([
      "/requires/labels/cores/value",
    ]);
  });
});
