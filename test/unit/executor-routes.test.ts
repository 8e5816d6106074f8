import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { AgentView } from "../../src/protocol/agent.ts";
import type { RefusalCode } from "../../src/protocol/refusal.ts";
import type { RestPorts } from "../../src/rest/ports.ts";
import { assignedTask } from "../assigned-task.ts";
import type { Given } from "./rest-fakes.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const AT = "2026-11-22T10:00:00.000Z";

const AGENT: AgentView = {
  agent_id: "a1",
  capabilities: [],
  task_types: ["general"],
  labels: {},
  slots: 1,
  pools: ["default"],
  url: null,
  weight: 1,
  version: null,
  state: "offline",
  slots_in_use: 0,
  last_seen_at: null,
  stats: null,
};

const LEASE = { token: "tok-1", attempt: 1, expires_at: AT };

const NOTIFICATION = {
  notification_id: "n1",
  notification_type: "task_progress",
  task_id: "t1",
  agent_id: "a1",
  timestamp: AT,
  data: { progress_percentage: 10, current_step: "reading" },
};

const END = { task_id: "t1", agent_id: "a1", reason: "cancelled", timestamp: AT };

const held = { "Lease-Token": "tok-1" };

describe("agents", () => {
  it("registers with defaults filled in and shows the secret", async () => {
    let registered: unknown;
    const { app } = createFakeApp({
      agents: {
        put: async (_by, agent_id, registration) => {
          registered = registration;
          return ok({ ...AGENT, agent_id, secret: "whsec_x" });
        },
      },
    });

    const response = await send(app, "/v1/agents/a1", {
      method: "PUT",
      key: "execute",
      body: { slots: 4 },
    });

    expect(response.status).toBe(200);
    expect(registered).toMatchObject({ slots: 4, pools: ["default"], weight: 1 });
    expect(await response.json()).toMatchObject({ agent_id: "a1", secret: "whsec_x" });
  });

  it("reads one, lists all, removes one", async () => {
    const { app } = createFakeApp({
      agents: {
        get: async () => ok(AGENT),
        list: async () => ({ items: [AGENT], next_cursor: null }),
        remove: async () => ok(null),
      },
    });

    expect(await (await send(app, "/v1/agents/a1")).json()).toEqual(AGENT);
    expect(await (await send(app, "/v1/agents")).json()).toEqual({
      items: [AGENT],
      next_cursor: null,
    });
    expect((await send(app, "/v1/agents/a1", { method: "DELETE" })).status).toBe(204);
  });

  it("claims and gets the task with its lease", async () => {
    const task = {
      task_type: "general",
      description: "Summarise the text",
      schema_version: "2.0",
      priority: "high",
      timeout: 300,
      heartbeat_timeout: 60,
      stall_timeout: 300,
      execution_options: {},
      pool: "default",
      checkpoint: null,
      attempt: 1,
    };
    let asked: unknown;
    const { app } = createFakeApp({
      agents: {
        claim: async (_by, _id, request) => {
          asked = request;
          return ok({ tasks: [{ task, lease: LEASE }] });
        },
      },
    });

    const response = await send(app, "/v1/agents/a1/claim", { body: { max_tasks: 3 } });

    expect(asked).toEqual({ schema_version: "2.0", max_tasks: 3, wait_seconds: 0 });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ tasks: [{ task, lease: LEASE }] });
  });

  it("claims and gets the sound tasks, though one of them cannot leave: that goes back", async () => {
    const broken = { ...assignedTask("t1"), timeout: -1 };
    const sound = { task: assignedTask("t2"), lease: LEASE };
    const declined: unknown[][] = [];
    const { app, told } = createFakeApp({
      agents: { claim: async () => ok({ tasks: [{ task: broken, lease: LEASE }, sound] }) },
      tasks: {
        decline: async (_by, ...parameters) => {
          declined.push(parameters);
          return ok(null);
        },
      },
    });

    const response = await send(app, "/v1/agents/a1/claim", { body: { max_tasks: 2 } });

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ tasks: [sound] });
    expect(declined).toEqual([["t1", "tok-1", expect.stringMatching(/^withheld/)]]);
    expect(told).toMatchObject([{ route: "claim:claim_tasks", outcome: "withheld" }, {}]);
  });

  it.each([{ max_tasks: 0 }, { max_tasks: 11 }, { wait_seconds: 26 }, { wait: 1 }])(
    "refuses the claim %j",
    async (body) => {
      const { app } = createFakeApp();

      expect((await send(app, "/v1/agents/a1/claim", { body })).status).toBe(400);
    },
  );
});

describe("the lease token", () => {
  type Tasks = RestPorts["tasks"];
  const calls: [path: string, body: object, fake: (seen: unknown[]) => Partial<Tasks>][] = [
    [
      "/v1/tasks/t1/decline",
      { reason: "too big" },
      (seen) => ({ decline: async (_by, _id, lease) => (seen.push(lease), ok(null)) }),
    ],
    [
      "/v1/tasks/t1/heartbeat",
      {},
      (seen) => ({
        heartbeat: async (_by, _id, lease) => (
          seen.push(lease),
          ok({ lease: LEASE, commands: [] })
        ),
      }),
    ],
    [
      "/v1/notifications",
      NOTIFICATION,
      (seen) => ({
        notify: async (_by, lease) => (
          seen.push(lease),
          ok({ receipt: { seq: 3, event_id: "e3" }, isNew: true, ended_attempt: null })
        ),
      }),
    ],
    [
      "/v1/tasks/t1/end",
      END,
      (seen) => ({
        end: async (_by, task_id, lease) => (
          seen.push(lease),
          ok({
            receipt: { task_id, end_reason: "cancelled", completion_status: "cancelled" },
            isNew: true,
            ended_attempt: null,
          })
        ),
      }),
    ],
  ];

  it.each(calls)(
    "travels from the header of %s to the task, and its absence too",
    async (path, body, fake) => {
      const seen: unknown[] = [];
      const { app } = createFakeApp({ tasks: fake(seen) });

      await send(app, path, { key: "execute", body, headers: held });
      await send(app, path, { key: "execute", body });

      expect(seen).toEqual(["tok-1", null]);
    },
  );
});

describe("receipts", () => {
  const noted = (receipt: object, isNew: boolean): Given => ({
    tasks: {
      notify: async () =>
        ok({ receipt: receipt as { seq: number; event_id: string }, isNew, ended_attempt: null }),
    },
  });

  it.each([
    ["a new notification", { seq: 3, event_id: "e3" }, true, 202],
    ["an early one that is held", { held: true, expected_sequence: 2 }, true, 202],
    ["a repeated one", { seq: 3, event_id: "e3" }, false, 200],
  ])("acknowledge %s", async (_what, receipt, isNew, status) => {
    const { app } = createFakeApp(noted(receipt, isNew));

    const response = await send(app, "/v1/notifications", { body: NOTIFICATION, headers: held });

    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(receipt);
  });

  it.each([
    [true, 202],
    [false, 200],
  ])("tell a first end from a repeated one (%s)", async (isNew, status) => {
    const receipt = { task_id: "t1", end_reason: "timeout", completion_status: "failure" } as const;
    const { app } = createFakeApp({
      tasks: { end: async () => ok({ receipt, isNew, ended_attempt: null }) },
    });

    const response = await send(app, "/v1/tasks/t1/end", { body: END, headers: held });

    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(receipt);
  });

  it("renew the lease and bring commands with a heartbeat", async () => {
    const command = { command_id: "c1", command: "cancel", reason: null } as const;
    const { app } = createFakeApp({
      tasks: { heartbeat: async () => ok({ lease: LEASE, commands: [command] }) },
    });

    const response = await send(app, "/v1/tasks/t1/heartbeat", { method: "POST", headers: held });

    expect(await response.json()).toEqual({ lease: LEASE, commands: [command] });
  });

  it("say which task is free again", async () => {
    const { app } = createFakeApp({ tasks: { decline: async () => ok(null) } });

    const response = await send(app, "/v1/tasks/t1/decline", {
      body: { reason: "too big" },
      headers: held,
    });

    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ task_id: "t1" });
  });

  it.each<[RefusalCode, number]>([
    ["task_not_found", 404],
    ["wrong_agent", 403],
    ["lease_lost", 409],
    ["task_ended", 409],
    ["transition_refused", 409],
    ["sequence_gap", 409],
    ["timestamp_in_future", 422],
    ["progress_regressed", 422],
    ["result_rejected", 422],
  ])("give way to the refusal %s as %i", async (code, status) => {
    const { app } = createFakeApp({
      tasks: { notify: async () => refuse({ code, detail: "no" }) },
    });

    const response = await send(app, "/v1/notifications", { body: NOTIFICATION });

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, status });
  });
});
