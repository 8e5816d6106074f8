import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { randomId } from "../../src/lib/ports.ts";
import { BUILTIN_AGENT_ID } from "../../src/protocol/agent.ts";
import type { MemoryItem, MemoryRecord } from "../../src/protocol/memory.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { memoryDoorOf, rememberingOf } from "../../src/services-memory.ts";
import { sweepHistory } from "../../src/services-sweep.ts";
import { attemptOf, runOf } from "../memories.ts";
import { eventually } from "./batuta.ts";
import { newTenant } from "./tenant.ts";

interface Page {
  items: MemoryItem[];
  next_cursor: string | null;
}

/** A tenant of its own, whose tasks the built-in executor does. */
async function world() {
  const tenant = `mem-${randomId()}`;
  const call = await newTenant(tenant);
  const done = async (task: Record<string, unknown>): Promise<TaskView> => {
    const { body } = await call<TaskView>("POST", "/v1/tasks", {
      task_type: "data_analysis",
      description: "Analyse the quarterly churn of customers",
      ...task,
    });
    const ended = await eventually(
      () => call<TaskView>("GET", `/v1/tasks/${body.task_id}`),
      ({ body: { phase } }) => phase === "ended",
    );
    return ended.body;
  };
  const memories = async (query = "") =>
    (await call<Page>("GET", `/v1/memories${query}`)).body.items;
  return { tenant, call, done, memories };
}

const TABLE = {
  parameters: { input_data: { csv: "day,sales\n1,10\n2,12\n3,14\n4,16\n5,18\n6,20\n" } },
};
const NO_RETRY = { retry_policy: { max_retries: 0 } };

describe("long-term memory", () => {
  it("has the outcome of a task that the built-in executor brought to its end", async () => {
    const { done, memories } = await world();

    const { task_id } = await done({ ...TABLE, tags: ["churn"] });

    const [outcome, ...none] = await memories();
    expect(none).toEqual([]);
    expect(outcome).toMatchObject({
      kind: "outcome",
      verdict: "success",
      task_id,
      task_type: "data_analysis",
      tags: ["data_analysis", "success", "churn"],
      executor: BUILTIN_AGENT_ID,
      model_id: "builtin",
      quality: expect.any(Number),
      utility: { used: 0, helped: 0, score: 0.5 },
    });
    expect(outcome?.text).toContain("Analyse the quarterly churn of customers");
  });

  it("has the lesson of a failure: what failed and why, by the task that shows it", async () => {
    const { done, memories } = await world();

    const { task_id } = await done({
      parameters: { input_data: { csv: "" } },
      execution_options: NO_RETRY,
    });

    const all = await memories();
    expect(all.map(({ kind, verdict }) => [kind, verdict])).toEqual([
      ["lesson", "failure"],
      ["outcome", "failure"],
    ]);
    const [lesson] = await memories("?kind=lesson&task_type=data_analysis");
    expect(lesson).toMatchObject({ task_id, tags: ["data_analysis", "failure"] });
    expect(lesson?.text).toContain("failed with builtin");
  });

  it("has the lesson of an escalation, with its question", async () => {
    const { call, done, memories } = await world();
    const pending = done({
      parameters: { input_data: { csv: "" } },
      execution_options: {
        retry_policy: { max_retries: 1, retry_delay: 1 },
        escalate_on: ["retries_exhausted"],
      },
    });
    const asked = await eventually(
      () => call<{ items: { escalation_id: string }[] }>("GET", "/v1/escalations?state=open"),
      ({ body }) => body.items.length === 1,
    );
    await call("POST", `/v1/escalations/${asked.body.items[0]?.escalation_id}/resolve`, {
      decision: "cancel",
      answer: "The table is really empty",
    });

    const { task_id } = await pending;

    const lessons = await memories("?kind=lesson");
    const lesson = lessons.find(({ verdict }) => verdict === "escalated");
    expect(lesson).toMatchObject({ task_id, tags: expect.arrayContaining(["escalated"]) });
    expect(lesson?.text).toContain("The table is really empty");
  });

  it("puts the lesson of a failed run first before the next one like it, and nothing before others", async () => {
    const { tenant, done, call } = await world();
    const failed = await done({
      description: "Analyse the monthly revenue of the shops",
      parameters: { input_data: { csv: "" } },
      execution_options: NO_RETRY,
    });
    await done({ ...TABLE, description: "Count the visitors of the museum by age" });
    const bounds = { locality: null, region: null };
    const question = { task_type: "data_analysis", bounds, limit: 8, max_tokens: 2_000 } as const;
    const text = "Examine the sales of each shop per month";
    const door = memoryDoorOf(env);

    const recalled = await door.recall(tenant, { ...question, text });
    const others = await door.recall(tenant, { ...question, text: "Translate a poem" });
    const memory_ids = recalled.map(({ memory_id }) => memory_id);
    const attempts = [attemptOf({ memory_ids, is_completed: true })];
    await rememberingOf(env).remember(tenant, runOf({ attempts, quality: 0.9 }));

    expect(recalled.map(({ kind, verdict, task_id }) => [kind, verdict, task_id])).toEqual(
      expect.arrayContaining([["lesson", "failure", failed.task_id]]),
    );
    expect(new Set(recalled.map(({ task_id }) => task_id))).toEqual(new Set([failed.task_id]));
    expect(recalled[0]?.model_id).toBe("builtin");
    expect(others).toEqual([]);
    const { body } = await call<MemoryRecord>("GET", `/v1/memories/${recalled[0]?.memory_id}`);
    expect(body.utility).toEqual({ used: 1, helped: 0.9, score: 1.9 / 3 });
  });

  it("keeps nothing of a task that says so, nor of those of other executors", async () => {
    const { call, done, memories } = await world();

    await done({ ...TABLE, execution_options: { keep_memory: "never" } });
    await call("PUT", "/v1/agents/other", { capabilities: ["mine"] });

    expect(await memories()).toEqual([]);
  });

  it("is searched, paged, told facts and made to forget over HTTP", async () => {
    const { call, done, memories } = await world();
    const { task_id } = await done(TABLE);
    const state = (topic: string, text: string) =>
      call<MemoryRecord>("POST", "/v1/memories", { kind: "fact", topic, text });
    const first = await state("churn.unit", "Churn of customers is counted per quarter");
    const again = await state("churn.unit", "Churn of customers is counted per quarter");
    const next = await state("churn.unit", "Churn of customers is counted per month");
    const lesson = await call<MemoryRecord>("POST", "/v1/memories", {
      kind: "lesson",
      text: "Ask for the unit first",
      task_type: "data_analysis",
    });

    expect([first.status, again.status, next.status, lesson.status]).toEqual([201, 200, 201, 201]);
    expect(next.headers.get("location")).toBe(`/v1/memories/${next.body.memory_id}`);
    const found = await memories("?q=churn+of+clients");
    expect(found.map(({ memory_id }) => memory_id)).toContain(next.body.memory_id);
    expect(found.map(({ memory_id }) => memory_id)).not.toContain(first.body.memory_id);
    for (const { score, similarity } of found) {
      expect(score).toBeGreaterThan(0);
      expect(similarity).toBeGreaterThan(0.2);
    }
    const page = await call<Page>("GET", "/v1/memories?limit=3");
    const rest = await call<Page>("GET", `/v1/memories?limit=3&cursor=${page.body.next_cursor}`);
    expect([page.body.items.length, rest.body.items.length]).toEqual([3, 1]);
    expect(rest.body.next_cursor).toBeNull();

    const forgotten = await call("DELETE", `/v1/memories?task_id=${task_id}`);
    const removed = await call("DELETE", `/v1/memories/${lesson.body.memory_id}`);
    const gone = await call("GET", `/v1/memories/${lesson.body.memory_id}`);

    expect(forgotten.body).toEqual({ task_id, memories: 1, results: 0 });
    expect([removed.status, gone.status, gone.body["code"]]).toEqual([
      204,
      404,
      "memory_not_found",
    ]);
    expect((await memories()).map(({ kind }) => kind)).toEqual(["fact", "fact"]);
  });

  it.each([
    ["GET", "?cursor=AAAA", undefined],
    ["GET", "?q=a&cursor=AAAA", undefined],
    ["GET", "?kind=guess", undefined],
    ["DELETE", "", undefined],
    ["POST", "", { kind: "fact", text: "no topic" }],
    ["POST", "", { kind: "outcome", text: "nobody states an outcome" }],
    ["POST", "", { kind: "lesson", text: "x".repeat(2_001) }],
  ])("refuses %s /v1/memories%s with %j, and writes nothing", async (method, query, body) => {
    const { call, memories } = await world();

    const refused = await call(method, `/v1/memories${query}`, body);

    expect([refused.status, refused.body["code"]]).toEqual([400, "validation_failed"]);
    expect(await memories()).toEqual([]);
  });

  it("takes a search in the syntax of its index for plain words", async () => {
    const { call } = await world();
    await call("POST", "/v1/memories", { kind: "lesson", text: "Ask for the unit first" });

    for (const q of ['"', "unit*", 'unit" OR stems:x', "NEAR(unit first)", "a AND NOT (", "-^{}"]) {
      const { status } = await call("GET", `/v1/memories?q=${encodeURIComponent(q)}`);
      expect(status).toBe(200);
    }
  });

  it("goes with its task when that is removed from history", async () => {
    const { done, memories } = await world();
    const { task_id } = await done(TABLE);
    await eventually(
      () => env.DB.prepare("SELECT phase FROM task WHERE task_id = ?").bind(task_id).first("phase"),
      (phase) => phase === "ended",
    );
    expect(await memories()).toHaveLength(1);

    await sweepHistory(env, () => Date.now() + 400 * 86_400_000);
    const left = env.DB.prepare("SELECT phase FROM task WHERE task_id = ?").bind(task_id);

    expect(await left.first()).toBeNull();
    expect(await memories()).toEqual([]);
  });
});
