import { describe, expect, it, vi } from "vitest";

import type { RequestView } from "../../src/protocol/request.ts";
import { Executor, call, eventually, log, view } from "./batuta.ts";

async function submit(body: Record<string, unknown>, headers: Record<string, string> = {}) {
  return call<RequestView>("POST", "/v1/requests", body, headers);
}

async function requestOf(request_id: string | null): Promise<RequestView> {
  return (await call<RequestView>("GET", `/v1/requests/${request_id}`)).body;
}

const over = (request_id: string | null): Promise<RequestView> =>
  eventually(
    () => requestOf(request_id),
    ({ state }) => state !== "running" && state !== "planning",
  );

/** An executor of every task type that only takes what asks for it. */
async function executorOf(agent_id: string, capability = agent_id): Promise<Executor> {
  await call("PUT", `/v1/agents/${agent_id}`, { capabilities: [capability], slots: 5 });
  return new Executor(agent_id);
}

async function doNext(agent: Executor, result: unknown = { done: true }): Promise<string> {
  const task = await agent.claim();
  await agent.notify("task_started", {
    task_type: task["task_type"],
    estimated_duration: 10,
    complexity: "low",
  });
  await agent.complete(result);
  await agent.end();
  return agent.task_id;
}

const only = (agent: Executor) => ({ requires: { capabilities: [agent.agent_id] } });

describe("a request over REST", () => {
  it("becomes one task when it is one thing, and can be read later", async () => {
    const agent = await executorOf("req-one");
    const sent = await submit({
      goal: "Research the market for bicycles",
      constraints: only(agent),
    });

    expect(sent.status).toBe(202);
    expect(sent.headers.get("location")).toBe(`/v1/requests/${sent.body.request_id}`);
    expect(sent.body).toMatchObject({
      state: "running",
      plan: { strategy: "direct", source: "goal", inputs: { steps: 1, executors_fit: 1 } },
      tasks: [{ index: 0, status: "pending" }],
    });
    expect(sent.body.plan?.snapshot.executors.map(({ agent_id }) => agent_id)).toContain("req-one");
    const task_id = await doNext(agent);
    expect(task_id).toBe(sent.body.tasks[0]?.task_id);
    expect(await over(sent.body.request_id)).toMatchObject({
      state: "completed",
      plan: { strategy: "direct" },
      counts: { completed: 1 },
    });
  });

  it("becomes three linked tasks that run in their order, and no model is called for it", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    const agent = await executorOf("req-three");
    const { body } = await submit({
      goal: "First collect the figures, then check the figures, finally write a report",
      constraints: only(agent),
    });
    const ids = body.tasks.map(({ task_id }) => task_id);

    expect(body.plan).toMatchObject({ strategy: "split", source: "words" });
    expect(ids).toHaveLength(3);
    expect([await doNext(agent), await doNext(agent), await doNext(agent)]).toEqual(ids);
    const done = await over(body.request_id);
    expect(done).toMatchObject({ state: "completed", counts: { completed: 3 } });
    expect(done.tokens).toEqual({ orchestrator: 0, executor: 30 });
    expect(fetched).not.toHaveBeenCalled();
    fetched.mockRestore();
  });

  it("is only shown on a dry run", async () => {
    const { status, body, headers } = await submit({
      goal: "1. Collect the figures\n2. Write a report",
      dry_run: true,
    });

    expect(status).toBe(200);
    expect(headers.get("location")).toBeNull();
    expect(body).toMatchObject({ request_id: null, state: "planned", plan: { strategy: "split" } });
  });

  it("waits for an answer when nobody fits, and goes on after a yes", async () => {
    const { body } = await submit({
      goal: "Research the market for bicycles",
      constraints: { requires: { capabilities: ["req-nobody"] } },
    });
    const task_id = body.tasks[0]?.task_id ?? "";

    expect(body).toMatchObject({
      plan: { strategy: "escalate" },
      tasks: [{ status: "escalated" }],
    });
    expect((await view(task_id)).phase).toBe("awaiting_approval");
    const asked = (await log(task_id)).find(({ type }) => type === "task_escalated");
    expect(JSON.stringify(asked?.data)).toContain("no executor fits step 1");
    const answered = await call("POST", `/v1/escalations/esc_1_${task_id}/resolve`, {
      decision: "resume",
    });
    expect(answered.status).toBe(200);
    expect((await view(task_id)).phase).toBe("queued");
  });

  it("starts nothing after a no", async () => {
    const { body } = await submit({
      goal: "In parallel:\n- Collect the figures\n- Read the sources",
      constraints: { requires: { capabilities: ["req-nobody"] } },
    });
    const [first, second] = body.tasks.map(({ task_id }) => task_id);

    await call("POST", `/v1/escalations/esc_1_${first}/resolve`, { decision: "cancel" });

    expect(await over(body.request_id)).toMatchObject({
      state: "failed",
      counts: { cancelled: 1, failed: 1 },
    });
    expect((await view(second ?? "")).error?.type).toBe("dependency_failed");
  });

  it("has an executor plan, and carries the plan out", async () => {
    const planner = await executorOf("req-planner");
    const agent = await executorOf("req-worker");
    const { body } = await submit({
      goal: "Make a report about the market for bicycles",
      planning: "executor",
      planner_requires: { capabilities: ["req-planner"] },
      constraints: only(agent),
    });

    expect(body).toMatchObject({ state: "planning", plan: null, tasks: [] });
    const planned = await doNext(planner, {
      steps: [{ description: "collect the figures" }, { description: "write the report" }],
    });
    expect(planned).toBe(body.planning_task_id);
    const running = await eventually(
      () => requestOf(body.request_id),
      ({ state }) => state === "running",
    );
    expect(running.plan).toMatchObject({ strategy: "split", source: "executor" });
    expect([await doNext(agent), await doNext(agent)]).toEqual(
      running.tasks.map(({ task_id }) => task_id),
    );
    expect(await over(body.request_id)).toMatchObject({
      state: "completed",
      tokens: { orchestrator: 0, executor: 30 },
    });
  });

  it("fails with the reason when the executor's plan can't be carried out", async () => {
    const planner = await executorOf("req-muddler");
    const { body } = await submit({
      goal: "Make a report about the market for bicycles",
      planning: "executor",
      planner_requires: { capabilities: ["req-muddler"] },
    });

    await planner.claim();
    await planner.notify("task_started", {
      task_type: "general",
      estimated_duration: 10,
      complexity: "low",
    });
    await planner.complete({ steps: [{ description: "collect the figures", depends_on: [0] }] });
    await planner.end();

    expect(await over(body.request_id)).toMatchObject({
      state: "failed",
      plan: null,
      tasks: [],
      rejection: { code: "plan_rejected", errors: [{ pointer: "/steps/0/depends_on" }] },
    });
  });

  it("is cancelled with all of its tasks", async () => {
    const agent = await executorOf("req-cancel");
    const { body } = await submit({
      goal: "1. Collect the figures\n2. Write a report",
      constraints: only(agent),
    });

    const { status } = await call("POST", `/v1/requests/${body.request_id}/cancel`, {});

    expect(status).toBe(202);
    expect(await over(body.request_id)).toMatchObject({
      state: "cancelled",
      counts: { cancelled: 2 },
    });
  });

  it("answers a repeated submission with the same request, and refuses another body", async () => {
    const goal = "Research the market for bicycles";
    const constraints = { requires: { agent_id: "nobody" } };
    const headers = { "idempotency-key": "request-key" };

    const first = await submit({ goal, constraints }, headers);
    const again = await submit({ goal, constraints }, headers);
    const other = await submit({ goal: `${goal} again`, constraints }, headers);

    expect([first.status, again.status, other.status]).toEqual([202, 200, 409]);
    expect(again.body.request_id).toBe(first.body.request_id);
  });

  it.each([
    { name: "no goal", body: {}, status: 400, code: "validation_failed", pointer: "/goal" },
    {
      name: "a short goal",
      body: { goal: "do it" },
      status: 400,
      code: "validation_failed",
      pointer: "/goal",
    },
    {
      name: "a negative budget",
      body: { goal: "Research whales", constraints: { budget: { max_tokens: -1 } } },
      status: 400,
      code: "validation_failed",
      pointer: "/constraints/budget/max_tokens",
    },
    {
      name: "steps in a circle",
      body: { goal: "Research whales", steps: [{ description: "look", depends_on: [0] }] },
      status: 422,
      code: "dependency_cycle",
      pointer: "/steps/0/depends_on",
    },
    {
      name: "a step that is not there",
      body: { goal: "Research whales", steps: [{ description: "look", depends_on: [3] }] },
      status: 400,
      code: "validation_failed",
      pointer: "/steps/0/depends_on",
    },
    {
      name: "a contract that can't be checked",
      body: {
        goal: "Research whales",
        steps: [{ description: "look", output_schema: { type: "magic" } }],
      },
      status: 400,
      code: "validation_failed",
      pointer: "/steps/0/output_schema/type",
    },
    {
      name: "steps for an executor that plans",
      body: { goal: "Research whales", planning: "executor", steps: [{ description: "look" }] },
      status: 400,
      code: "validation_failed",
      pointer: "/steps",
    },
  ])("is refused with the place of the fault: $name", async ({ body, status, code, pointer }) => {
    const refused = await call("POST", "/v1/requests", body);

    expect(refused.status).toBe(status);
    expect(refused.body).toMatchObject({ code, errors: [{ pointer }] });
  });

  it("is not found under an id that is none, nor under a batch's", async () => {
    const batch = await call("POST", "/v1/batches", {
      batch_id: "no-request",
      tasks: [{ task_type: "research", description: "one task of a batch" }],
    });

    expect(batch.status).toBe(202);
    for (const id of ["req_unknown", "no-request"]) {
      const { status, body } = await call("GET", `/v1/requests/${id}`);
      expect([status, body["code"]]).toEqual([404, "request_not_found"]);
    }
  });
});
