import { describe, expect, it } from "vitest";

import type { ChannelClient } from "./agent-channel.ts";
import { connect } from "./agent-channel.ts";
import { call, ended, log, submit, view } from "./batuta.ts";

/* Executors on their WebSocket, through the Worker itself. */

async function registered(slots = 1): Promise<string> {
  const agent_id = `ws-${crypto.randomUUID().slice(0, 8)}`;
  await call("PUT", `/v1/agents/${agent_id}`, {
    capabilities: [agent_id],
    task_types: ["research"],
    slots,
  });
  return agent_id;
}

const taskFor = (agent_id: string) => submit({ requires: { capabilities: [agent_id] } });

/** The first task that comes, with its lease. */
async function firstTask(client: ChannelClient) {
  const { tasks } = await client.hear("tasks");
  const [first] = tasks;
  if (first === undefined) throw new Error("an empty frame of tasks");
  return { task_id: String(first.task.task_id), lease_token: first.lease.token };
}

function notify(
  agent_id: string,
  at: { task_id: string; lease_token: string },
  type: string,
  data: object,
) {
  return {
    type: "notify",
    id: `${at.task_id}-${type}`,
    lease_token: at.lease_token,
    notification: {
      notification_id: `${at.task_id}-${type}`,
      notification_type: type,
      task_id: at.task_id,
      agent_id,
      timestamp: new Date().toISOString(),
      data,
    },
  };
}

const STARTED = { task_type: "research", estimated_duration: 10, complexity: "low" };
const COMPLETED = {
  result: { answer: 42 },
  execution_summary: "done",
  metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
  quality_assessment: { overall_score: 0.9 },
};

describe("an executor on its WebSocket", () => {
  it("gets a task as soon as it is ready, and lives its life on the one connection", async () => {
    const agent_id = await registered();
    const client = await connect(agent_id);
    expect(await client.hear("welcome")).toEqual({ type: "welcome", agent_id, ping_seconds: 15 });
    client.say({ type: "ready", max_tasks: 1 });
    const { task_id } = await taskFor(agent_id);

    const at = await firstTask(client);
    client.say(notify(agent_id, at, "task_started", STARTED));
    const started = await client.hear("answer");
    client.say({ type: "heartbeat", id: "beat", ...at, heartbeat: { usage: { tokens: 5 } } });
    const beaten = await client.hear("answer");
    client.say(notify(agent_id, at, "task_completed", COMPLETED));
    const completed = await client.hear("answer");

    expect(at.task_id).toBe(task_id);
    expect(started).toMatchObject({ status: 202, body: { event_id: expect.any(String) } });
    expect(beaten).toMatchObject({ id: "beat", status: 200, body: { commands: [] } });
    expect(completed).toMatchObject({ status: 202 });
    client.say({
      type: "end",
      id: "end",
      ...at,
      end: {
        task_id,
        agent_id,
        reason: "success",
        timestamp: new Date().toISOString(),
        quality_assessment: { overall_score: 0.9 },
      },
    });
    expect(await client.hear("answer")).toMatchObject({
      id: "end",
      body: { end_reason: "success" },
    });
    expect(await ended(task_id)).toMatchObject({ status: "completed", result: { answer: 42 } });
    client.leave();
  });

  it("is sent no more than it is ready for", async () => {
    const agent_id = await registered(5);
    const client = await connect(agent_id);
    const tasks = await Promise.all([taskFor(agent_id), taskFor(agent_id), taskFor(agent_id)]);

    client.say({ type: "ready", max_tasks: 2 });
    const got: string[] = [];
    while (got.length < 2) {
      const frame = await client.hear("tasks");
      got.push(...frame.tasks.map(({ task }) => String(task.task_id)));
    }

    expect(got).toHaveLength(2);
    const left = tasks.find(({ task_id }) => !got.includes(task_id));
    expect(await view(left?.task_id ?? "")).toMatchObject({ phase: "queued" });
    client.leave();
  });

  it("keeps the place of a task in line when it leaves while it waits", async () => {
    const agent_id = await registered();
    const gone = await connect(agent_id);
    gone.say({ type: "ready", id: "r", max_tasks: 1 });
    await gone.hear("answer");

    gone.leave();
    const { task_id } = await taskFor(agent_id);
    const next = await connect(agent_id);
    next.say({ type: "ready", max_tasks: 1 });
    const at = await firstTask(next);

    expect(at.task_id).toBe(task_id);
    expect((await log(task_id)).map(({ type }) => type)).not.toContain("task_declined");
    next.leave();
  });

  it("declines a task that it does not want, which costs no retry", async () => {
    const agent_id = await registered();
    const client = await connect(agent_id);
    client.say({ type: "ready", max_tasks: 1 });
    await taskFor(agent_id);
    const at = await firstTask(client);

    client.say({ type: "decline", id: "no", ...at, reason: "too big" });

    expect(await client.hear("answer")).toMatchObject({ id: "no", status: 202 });
    expect(await view(at.task_id)).toMatchObject({ phase: "queued", agent_id: null });
    const declined = (await log(at.task_id)).find(({ type }) => type === "task_declined");
    expect(declined?.data).toMatchObject({ agent_id, reason: "too big" });
    client.leave();
  });

  it("hears what is wrong with a frame that has an id, and goes on", async () => {
    const agent_id = await registered();
    const client = await connect(agent_id);

    client.say({ type: "heartbeat", id: "b1", task_id: "t1" });
    const faulty = await client.hear("problem");
    client.say({ type: "heartbeat", id: "b2", task_id: "nothing", lease_token: "x" });
    const unknown = await client.hear("problem");

    expect(faulty).toMatchObject({
      id: "b1",
      problem: { code: "validation_failed", errors: [{ pointer: "/lease_token" }] },
    });
    expect(unknown).toMatchObject({ id: "b2", problem: { code: "task_not_found", status: 404 } });
    client.leave();
  });

  it.each([
    ["no JSON", "{", 1_007],
    ["no frame", '{"hello":1}', 1_008],
    ["more than a megabyte", `"${"x".repeat(1_048_577)}"`, 1_009],
  ])("is cut off with code and reason for %s", async (_what, text, code) => {
    const agent_id = await registered();
    const client = await connect(agent_id);

    client.say(text);

    expect(await client.end()).toEqual({ code, reason: expect.stringMatching(/\w/) });
  });

  it("ends at its next frame when its key is revoked", async () => {
    const { body: made } = await call<{ key: string; key_id: string }>("POST", "/v1/keys", {
      name: "soon gone",
      scopes: ["execute"],
    });
    const bearer = { authorization: `Bearer ${made.key}` };
    const agent_id = `ws-${crypto.randomUUID().slice(0, 8)}`;
    await call("PUT", `/v1/agents/${agent_id}`, { capabilities: [agent_id] }, bearer);
    const client = await connect(agent_id, made.key);
    client.say({ type: "ready", id: "r1", max_tasks: 0 });
    await client.hear("answer");

    await call("DELETE", `/v1/keys/${made.key_id}`);
    client.say({ type: "ready", id: "r2", max_tasks: 1 });

    expect(await client.end()).toEqual({ code: 1_008, reason: "the key is no longer good" });
  });

  it("connects for its own registration only, and only by an upgrade", async () => {
    const agent_id = await registered();
    const path = `/v1/agents/${agent_id}/connect`;

    const plain = await call("GET", path);
    const unknown = await call("GET", "/v1/agents/nobody-there/connect", undefined, {
      upgrade: "websocket",
    });

    expect(plain).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: "/headers/Upgrade" }] },
    });
    expect(unknown).toMatchObject({ status: 404, body: { code: "agent_not_found" } });
  });

  it("gets its next task at once when the last one is done, though it has one slot", async () => {
    const agent_id = await registered(1);
    const client = await connect(agent_id);
    client.say({ type: "ready", max_tasks: 2 });
    await taskFor(agent_id);
    const first = await firstTask(client);
    const second = await taskFor(agent_id);

    client.say(notify(agent_id, first, "task_started", STARTED));
    client.say(notify(agent_id, first, "task_completed", COMPLETED));
    const next = await firstTask(client);

    expect(next.task_id).toBe(second.task_id);
    expect(await view(first.task_id)).toMatchObject({ phase: "finalizing" });
    client.leave();
  });
});
