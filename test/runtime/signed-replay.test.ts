import { runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import type { Lease } from "../../src/protocol/agent.ts";
import { call, Executor, log, submit, view, type Answered } from "./batuta.ts";

/* The same signed bytes again, within the time that their signature is good for. */

interface Agent {
  agent_id: string;
  secret: string;
}

async function registered(): Promise<Agent> {
  const agent_id = `replayed-${crypto.randomUUID().slice(0, 8)}`;
  const { body } = await call<{ secret: string }>("PUT", `/v1/agents/${agent_id}`, {
    capabilities: [agent_id],
    task_types: ["research"],
    slots: 5,
  });
  return { agent_id, secret: body.secret };
}

async function claim({ agent_id }: Agent): Promise<{ task_id: string; token: string }[]> {
  interface Claimed {
    tasks: { task: { task_id: string }; lease: Lease }[];
  }
  const path = `/v1/agents/${agent_id}/claim`;
  const { body } = await call<Claimed>("POST", path, { wait_seconds: 5 });
  return body.tasks.map(({ task, lease }) => ({ task_id: task.task_id, token: lease.token }));
}

/** A task that this agent holds, and its lease. */
async function heldBy(agent: Agent): Promise<{ task_id: string; token: string }> {
  await submit({
    requires: { capabilities: [agent.agent_id] },
    execution_options: { retry_policy: { retry_delay: 1 } },
  });
  const [held] = await claim(agent);
  if (held === undefined) throw new Error("no task came");
  return held;
}

/** A captured request: exactly what went over the wire, to be sent as often as one likes. */
interface Captured {
  path: string;
  text: string;
  headers: Record<string, string>;
}

function signed(
  path: string,
  body: object,
  { agent_id, secret, token }: Agent & { token: string },
): Captured {
  const at = new Date();
  const id = `m-${crypto.randomUUID()}`;
  const text = JSON.stringify(body);
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, at, text),
    "batuta-agent": agent_id,
    "lease-token": token,
  };
  return { path, text, headers };
}

async function transmit(
  { path, text, headers }: Captured,
  changes: { path?: string; text?: string; headers?: Record<string, string> } = {},
): Promise<Answered<Record<string, unknown>>> {
  const response = await exports.default.fetch(
    new Request(`https://batuta.test${changes.path ?? path}`, {
      method: "POST",
      headers: { ...headers, ...changes.headers },
      body: changes.text ?? text,
    }),
  );
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** When the lease of a task would end, by its object. */
async function leaseEnd(task_id: string): Promise<number> {
  return runInDurableObject(env.TASK.getByName(`default/${task_id}`), (_object, { storage }) => {
    const query = "SELECT body FROM record WHERE id = 0";
    const [row] = storage.sql.exec<{ body: string }>(query).toArray();
    return Number(JSON.parse(row?.body ?? "{}").beat_at);
  });
}

const started = ({ agent_id }: Agent, task_id: string) => ({
  notification_id: `${task_id}-started`,
  notification_type: "task_started",
  task_id,
  agent_id,
  timestamp: new Date().toISOString(),
  data: { task_type: "research", estimated_duration: 10, complexity: "low" },
});

const endOf = ({ agent_id }: Agent, task_id: string) => ({
  task_id,
  agent_id,
  reason: "cancelled",
  timestamp: new Date().toISOString(),
});

describe("a replayed request of an agent", () => {
  it("is refused as a heartbeat and extends no lease", async () => {
    const agent = await registered();
    const { task_id, token } = await heldBy(agent);
    const path = `/v1/tasks/${task_id}/heartbeat`;
    const captured = signed(path, { checkpoint: "one" }, { ...agent, token });

    const first = await transmit(captured);
    const before = await leaseEnd(task_id);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const again = await transmit(captured);

    expect(first.status).toBe(200);
    expect(again).toMatchObject({ status: 409, body: { code: "replayed" } });
    expect(await leaseEnd(task_id)).toBe(before);
    expect((await transmit(signed(path, {}, { ...agent, token }))).status).toBe(200);
  });

  it("gives back no later attempt as a decline, not even with that attempt's lease", async () => {
    const agent = await registered();
    const { task_id, token } = await heldBy(agent);
    const path = `/v1/tasks/${task_id}/decline`;
    const captured = signed(path, { reason: "busy" }, { ...agent, token });
    expect((await transmit(captured)).status).toBe(202);
    const later = await nextHolding(agent);
    expect(later.task_id).toBe(task_id);
    const before = await log(task_id);

    const stale = await transmit(captured);
    const fresh = await transmit(captured, { headers: { "lease-token": later.token } });

    expect(stale).toMatchObject({ status: 409, body: { code: "lease_lost" } });
    expect(fresh).toMatchObject({ status: 409, body: { code: "replayed" } });
    expect(await log(task_id)).toEqual(before);
    expect(await view(task_id)).toMatchObject({ phase: "assigned", agent_id: agent.agent_id });
  });

  it("renews no later lease as a heartbeat of an earlier attempt", async () => {
    const agent = await registered();
    const { task_id, token } = await heldBy(agent);
    const captured = signed(`/v1/tasks/${task_id}/heartbeat`, {}, { ...agent, token });
    await transmit(captured);
    const decline = signed(`/v1/tasks/${task_id}/decline`, { reason: "x" }, { ...agent, token });
    await transmit(decline);
    const later = await nextHolding(agent);

    const answer = await transmit(captured, { headers: { "lease-token": later.token } });

    expect(answer).toMatchObject({ status: 409, body: { code: "replayed" } });
  });

  it("changes nothing as a notification: the same receipt, and no lease renewed", async () => {
    const agent = await registered();
    const { task_id, token } = await heldBy(agent);
    const captured = signed("/v1/notifications", started(agent, task_id), { ...agent, token });

    const first = await transmit(captured);
    const before = [await log(task_id), await view(task_id)];
    const again = await transmit(captured);

    expect([first.status, again.status]).toEqual([202, 200]);
    expect(again.body).toEqual(first.body);
    expect([await log(task_id), await view(task_id)]).toEqual(before);
  });

  it("changes nothing as an end, and claims no task with what was added to its address", async () => {
    const agent = await registered();
    const { task_id, token } = await heldBy(agent);
    const path = `/v1/tasks/${task_id}/end`;
    const captured = signed(path, endOf(agent, task_id), { ...agent, token });
    const first = await transmit(captured);
    const waiting = await submit({ requires: { capabilities: [agent.agent_id] } });

    const again = await transmit(captured);
    const greedy = await transmit(captured, { path: `${path}?claim_next=10` });

    expect([first.status, again.status, greedy.status]).toEqual([202, 200, 200]);
    expect(again.body).toEqual(first.body);
    expect(JSON.stringify(greedy.body)).not.toContain("token");
    expect(await view(waiting.task_id)).toMatchObject({ status: "pending", attempt: 0 });
  });

  it.each(["heartbeat", "decline", "end", "notifications"])(
    "is unknown as a changed %s: another body, id, time, agent or tenant",
    async (verb) => {
      const agent = await registered();
      const other = await registered();
      const { task_id, token } = await heldBy(agent);
      const bodies: Record<string, object> = {
        heartbeat: { checkpoint: "one" },
        decline: { reason: "busy" },
        end: endOf(agent, task_id),
        notifications: started(agent, task_id),
      };
      const path = verb === "notifications" ? "/v1/notifications" : `/v1/tasks/${task_id}/${verb}`;
      const captured = signed(path, bodies[verb] ?? {}, { ...agent, token });
      const before = await log(task_id);
      const time = Number(captured.headers["webhook-timestamp"]);

      const answers = [
        await transmit(captured, { text: captured.text.replace("{", "{ ") }),
        await transmit(captured, { headers: { "webhook-id": "another" } }),
        await transmit(captured, { headers: { "webhook-timestamp": String(time + 1) } }),
        await transmit(captured, { headers: { "batuta-agent": other.agent_id } }),
        await transmit(captured, { headers: { "batuta-tenant": "elsewhere" } }),
        await transmit(captured, { headers: { "webhook-timestamp": String(time - 301) } }),
      ];

      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401, 401]);
      expect(await log(task_id)).toEqual(before);
    },
  );
});

/** The next task that an agent gets, once what it gave back is free again. */
async function nextHolding(agent: Agent): Promise<{ task_id: string; token: string }> {
  for (let ask = 0; ask < 4; ask += 1) {
    // One after the other: each waits for the task.
    // oxlint-disable-next-line no-await-in-loop
    const [held] = await claim(agent);
    if (held !== undefined) return held;
  }
  throw new Error("the task did not come back");
}

describe("an executor with a key", () => {
  it("may send the same heartbeat as often as it likes: nobody else can", async () => {
    const executor = await new Executor(`keyed-${crypto.randomUUID().slice(0, 8)}`).register();
    await submit({ requires: { capabilities: [executor.agent_id] } });
    await executor.claim();
    const beat = () => call("POST", `/v1/tasks/${executor.task_id}/heartbeat`, {}, executor.lease);

    expect([(await beat()).status, (await beat()).status]).toEqual([200, 200]);
  });
});
