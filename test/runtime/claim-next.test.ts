import { describe, expect, it } from "vitest";

import { call, submit, view } from "./batuta.ts";

/* The message that ends an attempt brings the next task, also for an executor with one slot. */

interface Next {
  next?: { tasks: { task: { task_id: string }; lease: { token: string } }[] };
}

async function registered(pools = ["default"]): Promise<string> {
  const agent_id = `next-${crypto.randomUUID().slice(0, 8)}`;
  const capabilities = [agent_id];
  await call("PUT", `/v1/agents/${agent_id}`, { capabilities, slots: 1, pools });
  return agent_id;
}

const taskFor = async (agent_id: string, pool = "default") =>
  (await submit({ requires: { capabilities: [agent_id] }, pool })).task_id;

async function claimed(agent_id: string): Promise<string> {
  const path = `/v1/agents/${agent_id}/claim`;
  const { body } = await call<NonNullable<Next["next"]>>("POST", path, { wait_seconds: 5 });
  return body.tasks[0]?.lease.token ?? "";
}

/** Says something of a task; `query` may ask for the next one. */
function say(
  to: { agent_id: string; task_id: string; token: string },
  [type, data]: readonly [string, object],
  query = "",
) {
  const { agent_id, task_id, token } = to;
  const message = {
    notification_id: `${task_id}-${type}`,
    notification_type: type,
    task_id,
    agent_id,
    timestamp: new Date().toISOString(),
    data,
  };
  return call<Next>("POST", `/v1/notifications${query}`, message, { "lease-token": token });
}

const STARTED = [
  "task_started",
  { task_type: "research", estimated_duration: 10, complexity: "low" },
] as const;
const COMPLETED = [
  "task_completed",
  {
    result: { answer: 42 },
    execution_summary: "done",
    metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
    quality_assessment: { overall_score: 0.9 },
  },
] as const;
const POOR = [
  "task_completed",
  { ...COMPLETED[1], quality_assessment: { overall_score: 0.1 } },
] as const;
const FAILED = [
  "task_failed",
  {
    error_type: "broken",
    error_message: "it broke",
    root_cause: { class: "tool", detail: "the tool broke", evidence: "exit code 1" },
  },
] as const;

/** An executor with one slot that has begun its first task, while a second one waits. */
async function busy(pools = ["default"]) {
  const agent_id = await registered(pools);
  const task_id = await taskFor(agent_id, pools[0]);
  const token = await claimed(agent_id);
  const second = await taskFor(agent_id, pools.at(-1));
  const at = { agent_id, task_id, token };
  await say(at, STARTED);
  return { at, second };
}

describe("an executor with one slot", () => {
  it.each([
    ["completes", COMPLETED],
    ["fails", FAILED],
  ])(
    "gets its next task in the answer to the message by which it %s the last",
    async (_how, what) => {
      const { at, second } = await busy();

      const answer = await say(at, what, "?claim_next=1");

      expect(answer.status).toBe(202);
      expect(answer.body.next?.tasks).toMatchObject([
        { task: { task_id: second }, lease: { token: expect.any(String) } },
      ]);
      expect(await view(second)).toMatchObject({ phase: "assigned", agent_id: at.agent_id });
    },
  );

  it("gets it from another pool than the last one, too", async () => {
    const pools = [`a-${crypto.randomUUID().slice(0, 8)}`, `b-${crypto.randomUUID().slice(0, 8)}`];
    const { at, second } = await busy(pools);

    const answer = await say(at, COMPLETED, "?claim_next=1");

    expect(answer.body.next?.tasks).toMatchObject([{ task: { task_id: second } }]);
  });

  it("gets it with its last word, and can wait for it there", async () => {
    const agent_id = await registered();
    const task_id = await taskFor(agent_id);
    const token = await claimed(agent_id);
    const timestamp = new Date().toISOString();
    const end = { task_id, agent_id, reason: "cancelled", timestamp };

    const ending = call<Next>(
      "POST",
      `/v1/tasks/${task_id}/end?claim_next=2&wait_seconds=10`,
      end,
      { "lease-token": token },
    );
    const second = await taskFor(agent_id);

    const { status, body } = await ending;
    expect(status).toBe(202);
    expect(body).toMatchObject({
      end_reason: "cancelled",
      next: { tasks: [{ task: { task_id: second } }] },
    });
  });

  it("gets none with a message that is refused, repeated, or leaves its attempt going on", async () => {
    const { at, second } = await busy();
    const progress = ["task_progress", { progress_percentage: 5, current_step: "on" }] as const;

    const goesOn = await say(at, progress, "?claim_next=1");
    const refused = await say(at, POOR, "?claim_next=1");
    const waiting = await view(second);
    await say(at, COMPLETED);
    const repeated = await say(at, COMPLETED, "?claim_next=1");

    expect([goesOn.status, refused.status, repeated.status]).toEqual([202, 422, 200]);
    for (const { body } of [goesOn, refused, repeated]) expect(body).not.toHaveProperty("next");
    expect(waiting).toMatchObject({ phase: "queued" });
  });
});
