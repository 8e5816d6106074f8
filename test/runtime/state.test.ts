import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { forgetNewer } from "../../src/observe/active-store.ts";
import type { Agent } from "../../src/observe/census.ts";
import { repairState } from "../../src/observe/repair.ts";
import { stateOf } from "../../src/observe/state.ts";
import { repairRequestSchema } from "../../src/protocol/state-view.ts";
import type { Repair, StateView } from "../../src/protocol/state-view.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { endedView } from "../seeded-runs.ts";
import { escalationOf, viewOf } from "../task-news.ts";
import { eventually } from "./batuta.ts";
import { newTenant, seed } from "./tenant.ts";

type Call = Awaited<ReturnType<typeof newTenant>>;

const TASK = {
  task_type: "research",
  description: "a task of a mixed run",
  requires: { capabilities: ["mixed"] },
};

/** Six tasks of a tenant: queued, running, awaiting an answer, completed, failed and cancelled. */
async function mixedRun(own: Call): Promise<string[]> {
  await own("PUT", "/v1/agents/mixed", { capabilities: ["mixed"], slots: 10 });
  const ids: string[] = [];
  for (let index = 0; index < 6; index += 1) {
    const retry_policy = { max_retries: 0 };
    const { body } = await own<TaskView>("POST", "/v1/tasks", {
      ...TASK,
      execution_options: { retry_policy },
      ...(index === 0 && { requires: { capabilities: ["nobody-has-this"] } }),
    });
    ids.push(body.task_id);
  }
  const claimed = await own<{ tasks: { task: { task_id: string }; lease: { token: string } }[] }>(
    "POST",
    "/v1/agents/mixed/claim",
    { max_tasks: 10 },
  );
  const tokens = new Map(claimed.body.tasks.map(({ task, lease }) => [task.task_id, lease.token]));
  const say = (task_id = "", notification_type: string, data: object) =>
    own(
      "POST",
      "/v1/notifications",
      {
        notification_id: `${task_id}-${notification_type}`,
        notification_type,
        task_id,
        agent_id: "mixed",
        timestamp: new Date().toISOString(),
        data,
      },
      { "lease-token": tokens.get(task_id) ?? "" },
    );
  const started = { task_type: "research", estimated_duration: 10, complexity: "low" };
  for (const task_id of ids.slice(1, 5)) await say(task_id, "task_started", started);
  await say(ids[2], "task_escalated", {
    escalation_reason: "unsure",
    escalation_level: "human",
    question: "Which one?",
    urgency: "low",
  });
  await say(ids[3], "task_completed", {
    result: 42,
    execution_summary: "done",
    metrics: { execution_time: 1, tokens_used: 1, cost: 0, quality_score: 1 },
    quality_assessment: { overall_score: 1 },
  });
  await say(ids[4], "task_failed", {
    error_type: "broken",
    error_message: "it broke",
    root_cause: { class: "tool", detail: "why", evidence: "log" },
    retry_recommended: false,
  });
  await own("POST", `/v1/tasks/${ids[5]}/commands`, { command: "cancel" });
  return ids;
}

/** What the objects of tasks say: how many are in each status and phase, but for those that have ended. */
async function truthOf(own: Call, ids: readonly string[]): Promise<Record<string, number>> {
  const views = await Promise.all(ids.map((id) => own<TaskView>("GET", `/v1/tasks/${id}`)));
  const active = views.filter(({ body }) => body.phase !== "ended");
  const groups = Map.groupBy(active, ({ body }) => `${body.status}/${body.phase}`);
  return Object.fromEntries([...groups].map(([name, { length }]) => [name, length]));
}

const indexOf = async (own: Call): Promise<Record<string, number>> => {
  const { body } = await own<StateView>("GET", "/v1/state");
  return Object.fromEntries(
    body.tasks.groups.map(({ status, phase, count }) => [`${status}/${phase}`, count]),
  );
};

const sorted = (counts: Record<string, number>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${name}=${count}`)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .join();

/** Waits until the index says what the objects say. */
async function agreed(own: Call, ids: readonly string[]): Promise<Record<string, number>> {
  const both = await eventually(
    async () => ({ truth: await truthOf(own, ids), index: await indexOf(own) }),
    ({ truth, index }) => sorted(truth) === sorted(index),
  );
  return both.index;
}

describe("the state", () => {
  it("counts what the objects say after a mixed run, and a damaged index is repaired", async () => {
    const own = await newTenant("mixed-run");
    const ids = await mixedRun(own);

    const before = await agreed(own, ids);
    expect(before).toMatchObject({
      "pending/queued": 1,
      "running/executing": 1,
      "escalated/awaiting_input": 1,
    });
    const ofTask = (sql: string, task_id = "") =>
      env.DB.prepare(`${sql} WHERE tenant = 'mixed-run' AND task_id = ?`).bind(task_id).run();
    await ofTask("DELETE FROM task", ids[0]);
    await ofTask("UPDATE task SET status = 'pending', phase = 'queued', seq = 99", ids[1]);
    await ofTask("UPDATE task SET phase = 'executing'", ids[2]);
    expect(await indexOf(own)).not.toEqual(await truthOf(own, ids));

    const open = await own<Repair>("POST", "/v1/state/repair", {});
    const named = await own<Repair>("POST", "/v1/state/repair", { task_ids: [ids[0]] });

    expect(open.body).toMatchObject({ missing: [], next_cursor: null });
    expect(new Set(open.body.repaired)).toEqual(new Set([ids[1], ids[2]]));
    expect(named.body).toEqual({ checked: 1, repaired: [ids[0]], missing: [], next_cursor: null });
    await agreed(own, ids);
  });

  it("has the same id while nothing changes, and names open questions, executors and pools", async () => {
    const own = await newTenant("glance");
    await own("PUT", "/v1/agents/one", { slots: 3, pools: ["night"] });
    await seed(
      "glance",
      [
        viewOf({ task_id: "q", status: "escalated", phase: "awaiting_input", seq: 4 }),
        viewOf({ task_id: "f", status: "completed", phase: "finalizing", seq: 4 }),
        endedView("over"),
        endedView("given-up", { status: "escalated" }),
      ],
      [escalationOf({ escalation_id: "esc_1_q", task_id: "q" })],
    );

    const first = (await own<StateView>("GET", "/v1/state")).body;
    const again = (await own<StateView>("GET", "/v1/state")).body;
    await seed("glance", [viewOf({ task_id: "new" })]);
    const changed = (await own<StateView>("GET", "/v1/state")).body;

    expect(again.state_id).toBe(first.state_id);
    expect(changed.state_id).not.toBe(first.state_id);
    expect(first.tasks).toMatchObject({
      active: 2,
      is_complete: true,
      groups: [
        { status: "escalated", phase: "awaiting_input", count: 1, oldest: { task_id: "q" } },
        { status: "completed", phase: "finalizing", count: 1, oldest: { task_id: "f" } },
      ],
    });
    expect(first.escalations).toMatchObject({ open: 1, is_complete: true });
    expect(first.pools.map(({ pool }) => pool)).toEqual(["default", "night"]);
    expect(first.agents.groups.reduce((sum, { slots }) => sum + slots, 0)).toBeGreaterThan(2);
  });

  it("looks at all rows page by page, and tells which have no object", async () => {
    const own = await newTenant("orphans");
    const names = Array.from({ length: 230 }, (_, index) => `t${String(index).padStart(3, "0")}`);
    await seed("orphans", [
      ...names.map((task_id) => viewOf({ task_id, status: "running", phase: "executing" })),
      endedView("archived"),
    ]);

    const first = await own<Repair>("POST", "/v1/state/repair", { all: true });
    const cursor = first.body.next_cursor;
    const second = await own<Repair>("POST", "/v1/state/repair", { all: true, cursor });

    expect([first.body.checked, second.body.checked]).toEqual([200, 31]);
    // One that ended long ago has no object any more, and is sound.
    expect([...first.body.missing, ...second.body.missing].toSorted()).toEqual(names);
    const fake = await own("POST", "/v1/state/repair", { cursor: "x" });
    expect([fake.status, fake.body["code"]]).toEqual([400, "validation_failed"]);
  });

  it("forgets a row only while it claims to be newer than its task", async () => {
    await seed("newer", [viewOf({ task_id: "t", seq: 5 })]);
    const task = { tenant: "newer", task_id: "t" };
    const seq = () => env.DB.prepare("SELECT seq FROM task WHERE tenant = 'newer'").first("seq");

    await forgetNewer(env.DB, task, 5);
    expect(await seq()).toBe(5);
    await forgetNewer(env.DB, task, 4);
    expect(await seq()).toBe(0);
  });
});

describe("the parts of the state", () => {
  const read = <Value>(_tenant: string, query: (db: D1Database) => Promise<Value>) => query(env.DB);

  it("are executors of all pages, a thousand at most", async () => {
    const agent: Agent = { state: "online", slots: 1, slots_in_use: 0, pools: ["p"] };
    const pages = async (
      _tenant: string,
      { cursor = "0", limit }: { cursor?: string | undefined; limit: number },
    ) => ({
      items: Array.from({ length: limit }, () => agent),
      next_cursor: String(Number(cursor) + 1),
    });

    const state = await stateOf({ read, now: () => 0, agents: pages }, "many-agents");

    expect(state.agents).toEqual({
      groups: [{ state: "online", agents: 1_000, slots: 1_000, slots_in_use: 0 }],
      is_complete: false,
      slots_free: 1_000,
    });
  });

  it("are rows that are rebuilt where they are older or newer than the task, and left alone where not", async () => {
    await seed("compared", [
      viewOf({ task_id: "sound", seq: 4 }),
      viewOf({ task_id: "older", seq: 3 }),
      viewOf({ task_id: "newer", seq: 9 }),
    ]);
    const rebuilt: string[] = [];

    const repair = await repairState(
      {
        db: async () => env.DB,
        read,
        truth: async () => ({ seq: 4, status: "pending", phase: "queued" }),
        rebuild: async (_tenant, task_id) => void rebuilt.push(task_id),
      },
      "compared",
      repairRequestSchema.parse({}),
    );

    expect(repair).toMatchObject({ ok: true, value: { checked: 3, missing: [] } });
    expect(new Set(rebuilt)).toEqual(new Set(["older", "newer"]));
    const { results } = await env.DB.prepare(
      "SELECT task_id, seq FROM task WHERE tenant = 'compared' ORDER BY task_id",
    ).all();
    // A rebuild would not replace a row that claims to be newer; without a row the task would be counted anew.
    expect(results).toEqual([
      { task_id: "newer", seq: 0 },
      { task_id: "older", seq: 3 },
      { task_id: "sound", seq: 4 },
    ]);
  });
});
