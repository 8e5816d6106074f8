import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";

import { call, log, submit, view } from "./batuta.ts";

/* Executors that sign their messages in place of sending a key; the signatures are another library's. */

interface Agent {
  agent_id: string;
  secret: string;
}

async function registered(): Promise<Agent> {
  const agent_id = `signer-${crypto.randomUUID().slice(0, 8)}`;
  const { body } = await call<{ secret: string }>("PUT", `/v1/agents/${agent_id}`, {
    capabilities: [agent_id],
    task_types: ["research"],
    slots: 5,
  });
  return { agent_id, secret: body.secret };
}

/** A task that this agent holds, and its lease. */
async function heldBy({ agent_id }: Agent): Promise<{ task_id: string; token: string }> {
  const { task_id } = await submit({ requires: { capabilities: [agent_id] } });
  const { body } = await call<{ tasks: { lease: { token: string } }[] }>(
    "POST",
    `/v1/agents/${agent_id}/claim`,
    { wait_seconds: 5 },
  );
  return { task_id, token: body.tasks[0]?.lease.token ?? "" };
}

/** Calls without a key, with the body signed by a secret. */
function callSigned(
  path: string,
  body: object,
  { secret, headers = {} }: { secret: string; headers?: Record<string, string> },
) {
  const at = new Date();
  const id = `m-${crypto.randomUUID()}`;
  return call("POST", path, body, {
    authorization: "",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
    "webhook-signature": new Webhook(secret).sign(id, at, JSON.stringify(body)),
    ...headers,
  });
}

const started = (agent_id: string, task_id: string) => ({
  notification_id: `${task_id}-started`,
  notification_type: "task_started",
  task_id,
  agent_id,
  timestamp: new Date().toISOString(),
  data: { task_type: "research", estimated_duration: 10, complexity: "low" },
});

describe("messages that their agents signed", () => {
  it("are accepted from two agents, each with its own secret", async () => {
    const agents = [await registered(), await registered()];

    for (const agent of agents) {
      const { task_id, token } = await heldBy(agent);
      const answer = await callSigned("/v1/notifications", started(agent.agent_id, task_id), {
        secret: agent.secret,
        headers: { "lease-token": token },
      });

      expect(answer).toMatchObject({ status: 202, body: { event_id: expect.any(String) } });
      expect(await view(task_id)).toMatchObject({ phase: "executing", agent_id: agent.agent_id });
    }
  });

  it("have no effect the second time, and get the same receipt", async () => {
    const agent = await registered();
    const { task_id, token } = await heldBy(agent);
    const message = started(agent.agent_id, task_id);
    const signed = { secret: agent.secret, headers: { "lease-token": token } };

    const first = await callSigned("/v1/notifications", message, signed);
    const before = await log(task_id);
    const second = await callSigned("/v1/notifications", message, signed);

    expect([first.status, second.status]).toEqual([202, 200]);
    expect(second.body).toEqual(first.body);
    expect(await log(task_id)).toEqual(before);
  });

  it("are refused alike from an unknown agent, without a signature and with a wrong one", async () => {
    const [agent, other] = [await registered(), await registered()];
    const { task_id, token } = await heldBy(agent);
    const message = started(agent.agent_id, task_id);
    const headers = { "lease-token": token };

    const answers = [
      await callSigned("/v1/notifications", started("nobody", task_id), { ...agent, headers }),
      await callSigned("/v1/notifications", message, { ...other, headers }),
      await callSigned("/v1/notifications", message, {
        ...agent,
        headers: { ...headers, "webhook-signature": "" },
      }),
      await callSigned("/v1/notifications", message, {
        ...agent,
        headers: { ...headers, "batuta-tenant": "elsewhere" },
      }),
    ];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(new Set(answers.map(({ body }) => body["detail"])).size).toBe(1);
    expect(await view(task_id)).toMatchObject({ phase: "assigned" });
  });

  it("still need the lease", async () => {
    const agent = await registered();
    const { task_id } = await heldBy(agent);

    const answer = await callSigned("/v1/notifications", started(agent.agent_id, task_id), agent);

    expect(answer).toMatchObject({ status: 409, body: { code: "lease_lost" } });
  });

  it("need a lease of the agent's own: the token of another one is not enough", async () => {
    const [agent, other] = [await registered(), await registered()];
    const { task_id, token } = await heldBy(agent);
    const headers = { "lease-token": token, "batuta-agent": other.agent_id };
    const signed = { secret: other.secret, headers };

    const answers = [
      await callSigned(`/v1/tasks/${task_id}/heartbeat`, {}, signed),
      await callSigned(`/v1/tasks/${task_id}/decline`, { reason: "mine now" }, signed),
    ];

    const refused = { status: 403, body: { code: "wrong_agent" } };
    expect(answers).toMatchObject([refused, refused]);
    expect(await view(task_id)).toMatchObject({ phase: "assigned", agent_id: agent.agent_id });
  });

  it("carry a whole life: heartbeat, refusal and end", async () => {
    const agent = await registered();
    const [one, two] = [await heldBy(agent), await heldBy(agent)];
    const headers = (token: string) => ({ "lease-token": token, "batuta-agent": agent.agent_id });
    const to = (task_id: string, verb: string) => `/v1/tasks/${task_id}/${verb}`;
    const { agent_id, secret } = agent;
    const end = {
      task_id: one.task_id,
      agent_id,
      reason: "cancelled",
      timestamp: new Date().toISOString(),
    };

    const beaten = await callSigned(
      to(one.task_id, "heartbeat"),
      {},
      { secret, headers: headers(one.token) },
    );
    const ended = await callSigned(to(one.task_id, "end"), end, {
      secret,
      headers: headers(one.token),
    });
    const declined = await callSigned(
      to(two.task_id, "decline"),
      { reason: "full" },
      { secret, headers: headers(two.token) },
    );

    expect([beaten.status, ended.status, declined.status]).toEqual([200, 202, 202]);
  });

  it("may be signed with either secret while one replaces the other, and then with the new one alone", async () => {
    const agent = await registered();
    const { task_id, token } = await heldBy(agent);
    const headers = { "lease-token": token, "batuta-agent": agent.agent_id };
    const beat = async (secret: string) =>
      (await callSigned(`/v1/tasks/${task_id}/heartbeat`, {}, { secret, headers })).status;
    const rotate = async (overlap_seconds: number) => {
      const path = `/v1/agents/${agent.agent_id}/rotate-secret`;
      return (await call<{ secret: string }>("POST", path, { overlap_seconds })).body.secret;
    };

    const second = await rotate(60);
    const during = [await beat(agent.secret), await beat(second)];
    const third = await rotate(0);
    const after = [await beat(agent.secret), await beat(second), await beat(third)];

    expect(during).toEqual([200, 200]);
    expect(after).toEqual([401, 401, 200]);
  });
});
