import { env } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { taskPushSchema } from "../../src/protocol/agent-channel.ts";
import type { ReceivedRequest, ScriptedReply } from "../received.ts";
import { call, ended, eventually, Executor, log, submit, view } from "./batuta.ts";
import { bodyText, newReceiver } from "./receiver.ts";

/* Executors that tasks are pushed to, through the Worker itself and its real queue. */

async function registered(replies: ScriptedReply[], capability?: string) {
  const agent_id = `push-${crypto.randomUUID().slice(0, 8)}`;
  const receiver = newReceiver();
  await receiver.script(replies);
  const { body } = await call<{ secret: string }>("PUT", `/v1/agents/${agent_id}`, {
    capabilities: [capability ?? agent_id],
    task_types: ["research"],
    slots: 5,
    url: receiver.url,
  });
  return { agent_id, receiver, secret: body.secret };
}

const submitFor = (capability: string) => submit({ requires: { capabilities: [capability] } });

function pushes(receiver: { log: () => Promise<ReceivedRequest[]> }, count: number) {
  return eventually(
    () => receiver.log(),
    ({ length }) => length >= count,
  );
}

/** What a push holds, once its signature is found good by another library. */
function opened(request: ReceivedRequest | undefined, secret: string) {
  if (request === undefined) throw new Error("nothing was pushed");
  return taskPushSchema.parse(new Webhook(secret).verify(bodyText(request), request.headers));
}

describe("a push executor", () => {
  it("gets each ready task once, signed, also after a duplicate queue message", async () => {
    const { agent_id, receiver, secret } = await registered([{ status: 202 }]);
    const first = await submitFor(agent_id);
    await pushes(receiver, 1);

    const home = { tenant: "default", pool: "default", agent_id };
    await env.PUSHES.send({ ...home, task_id: first.task_id });
    await env.PUSHES.send({ ...home, task_id: first.task_id });
    const second = await submitFor(agent_id);
    const received = await pushes(receiver, 2);

    const tasks = received.map((request) => opened(request, secret).data.task.task_id);
    expect(tasks).toEqual([first.task_id, second.task_id]);
    expect(received[0]?.headers).toMatchObject({
      "webhook-id": `push_${first.task_id}_1`,
      "x-task-id": first.task_id,
      "x-attempt": "1",
    });
    expect(await view(first.task_id)).toMatchObject({ phase: "assigned", agent_id });
  });

  it("works by the lease that came with the task, to its end", async () => {
    const { agent_id, receiver, secret } = await registered([{ status: 202 }]);
    const { task_id } = await submitFor(agent_id);
    const [request] = await pushes(receiver, 1);
    const { lease } = opened(request, secret).data;

    const executor = new Executor(agent_id);
    executor.hold(task_id, lease.token);
    await executor.start();
    await executor.complete();
    await executor.end();

    expect(await ended(task_id)).toMatchObject({ status: "completed", agent_id });
  });

  it("may decline with a reason, which costs no retry and lets another one have the task", async () => {
    const capability = `cap-${crypto.randomUUID().slice(0, 8)}`;
    const { agent_id, receiver } = await registered(
      [{ status: 409, body: '{"reason":"no GPU free"}' }],
      capability,
    );
    const { task_id } = await submitFor(capability);
    await pushes(receiver, 1);
    const other = new Executor(`pull-${capability}`);
    await other.register([capability]);

    await other.claim();

    expect(other.task_id).toBe(task_id);
    const declined = (await log(task_id)).find(({ type }) => type === "task_declined");
    expect(declined?.data).toMatchObject({ agent_id, reason: "no GPU free" });
  });

  it("loses a task that it can't be reached for, as a decline and not as a failure", async () => {
    const { agent_id, receiver } = await registered([{ status: 500 }]);
    const { task_id } = await submitFor(agent_id);
    await pushes(receiver, 1);

    const events = await eventually(
      () => log(task_id),
      (all) => all.some(({ type }) => type === "task_declined"),
    );

    const declined = events.find(({ type }) => type === "task_declined");
    expect(declined?.data).toMatchObject({
      agent_id,
      reason: expect.stringMatching(/^unreachable: .* 500/),
    });
    expect(events.map(({ type }) => type)).not.toContain("retry_scheduled");
  });

  it("is left alone after three failures in a row, and its tasks wait without being lost", async () => {
    const { agent_id, receiver } = await registered([{ status: 503 }]);
    for (let count = 1; count <= 3; count += 1) {
      const { task_id } = await submitFor(agent_id);
      await eventually(
        () => log(task_id),
        (all) => all.some(({ type }) => type === "task_declined"),
      );
    }

    const { task_id } = await submitFor(agent_id);
    const explained = await call("GET", `/v1/tasks/${task_id}/explain`);

    expect(await receiver.log()).toHaveLength(3);
    expect(await view(task_id)).toMatchObject({ phase: "queued" });
    expect(JSON.stringify(explained.body)).toMatch(/breaker/);
  });

  it.each(["http://ann.receiver.test/tasks", "https://localhost/tasks", "https://10.0.0.1/tasks"])(
    "can't be registered at %s",
    async (url) => {
      const agent_id = `push-${crypto.randomUUID().slice(0, 8)}`;

      const answer = await call("PUT", `/v1/agents/${agent_id}`, { url });

      expect(answer).toMatchObject({
        status: 422,
        body: { code: "endpoint_refused", errors: [{ pointer: "/url" }] },
      });
      expect((await call("GET", `/v1/agents/${agent_id}`)).status).toBe(404);
    },
  );
});
