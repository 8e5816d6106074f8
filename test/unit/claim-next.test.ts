import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import type { RestPorts } from "../../src/rest/ports.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const AT = "2026-11-22T10:00:00.000Z";
const NOTIFICATION = {
  notification_id: "n1",
  notification_type: "task_progress",
  task_id: "t1",
  agent_id: "ann",
  timestamp: AT,
  data: { progress_percentage: 10, current_step: "reading" },
};
const END = { task_id: "t1", agent_id: "ann", reason: "cancelled", timestamp: AT };
const RECEIPT = { seq: 3, event_id: "e3" };
const VERDICT = { task_id: "t1", end_reason: "cancelled", completion_status: "cancelled" } as const;
const TASK = {
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
const NEXT = { tasks: [{ task: TASK, lease: { token: "tok-2", attempt: 1, expires_at: AT } }] };

interface Given {
  ended?: number | null;
  refused?: boolean;
  agents?: Partial<RestPorts["agents"]>;
}

function face(given: Given = {}) {
  const { ended: ended_attempt = 2 } = given;
  const claimed: unknown[][] = [];
  const made = createFakeApp({
    tasks: {
      notify: async () =>
        given.refused === true
          ? refuse({ code: "lease_lost", detail: "no" })
          : ok({ receipt: RECEIPT, isNew: true, ended_attempt }),
      end: async () => ok({ receipt: VERDICT, isNew: true, ended_attempt }),
    },
    agents: {
      mayClaim: async () => ok(null),
      claim: async (_by, ...parameters) => {
        claimed.push(parameters);
        return ok(NEXT);
      },
      ...given.agents,
    },
  });
  return { ...made, claimed };
}

describe("claim_next", () => {
  it.each([
    ["/v1/notifications?claim_next=3&wait_seconds=20", NOTIFICATION, RECEIPT],
    ["/v1/tasks/t1/end?claim_next=3&wait_seconds=20", END, VERDICT],
  ])("brings the next tasks with the receipt of %s", async (path, body, receipt) => {
    const { app, claimed } = face();

    const response = await send(app, path, { body });

    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ ...receipt, next: NEXT });
    expect(claimed).toEqual([
      [
        "ann",
        { schema_version: "2.0", max_tasks: 3, wait_seconds: 20 },
        { releasing: { task_id: "t1", attempt: 2 } },
      ],
    ]);
  });

  it("claims nothing for a message that leaves the attempt going on, or that came before", async () => {
    const { app, claimed } = face({ ended: null });

    const response = await send(app, "/v1/notifications?claim_next=1", { body: NOTIFICATION });

    expect(await response.json()).toEqual(RECEIPT);
    expect(claimed).toEqual([]);
  });

  it("is asked for before the message is passed on: who may not claim has changed nothing", async () => {
    const { app, calls } = face({
      agents: { mayClaim: async () => refuse({ code: "agent_not_yours", detail: "no" }) },
    });

    const response = await send(app, "/v1/notifications?claim_next=1", { body: NOTIFICATION });

    expect(response.status).toBe(403);
    expect(calls).toEqual(["agents.mayClaim"]);
  });

  it("claims nothing when the message is refused", async () => {
    const { app, calls } = face({ refused: true });

    const response = await send(app, "/v1/notifications?claim_next=1", { body: NOTIFICATION });

    expect([response.status, calls.includes("agents.claim")]).toEqual([409, false]);
  });

  it.each<[string, RestPorts["agents"]["claim"]]>([
    ["is refused", async () => refuse({ code: "agent_not_found", detail: "gone" })],
    ["breaks off", () => Promise.reject(new Error("no pool"))],
  ])("keeps the receipt when the claim %s", async (_what, claim) => {
    const { app, lines } = face({ agents: { claim } });

    const response = await send(app, "/v1/notifications?claim_next=1", { body: NOTIFICATION });

    expect(await response.json()).toEqual({ ...RECEIPT, next: { tasks: [] } });
    expect(lines.map(({ event }) => event)).toContain("next_not_claimed");
  });

  it("keeps the receipt when a task that it brings cannot leave", async () => {
    const [next] = NEXT.tasks;
    const broken = { ...next, task: { ...TASK, task_id: "t9", timeout: -1 } };
    const { app, calls } = face({
      agents: { claim: async () => ok({ tasks: [broken, next] }) as never },
    });

    const response = await send(app, "/v1/notifications?claim_next=2", { body: NOTIFICATION });

    expect(await response.json()).toEqual({ ...RECEIPT, next: NEXT });
    expect(calls).toContain("tasks.decline");
  });

  it.each(["claim_next=0", "claim_next=11", "wait_seconds=5", "claim_next=1&wait_seconds=26"])(
    "refuses ?%s",
    async (query) => {
      const { app, calls } = face();

      const response = await send(app, `/v1/notifications?${query}`, { body: NOTIFICATION });

      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        errors: [{ pointer: expect.stringMatching(/^\/query\/(claim_next|wait_seconds)$/) }],
      });
      expect(calls).toEqual([]);
    },
  );
});
