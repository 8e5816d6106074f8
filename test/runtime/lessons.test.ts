import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { writeHistory } from "../../src/history/history-store.ts";
import { listLessons } from "../../src/history/lesson-store.ts";
import { project } from "../../src/history/projection.ts";
import type { Lesson, NextSteps } from "../../src/protocol/lesson.ts";
import { lessonsQuerySchema } from "../../src/protocol/lesson.ts";
import type { TaskView } from "../../src/protocol/task-view.ts";
import { endedView } from "../seeded-runs.ts";
import { at, eventOf } from "../task-news.ts";
import { Executor, call, eventually, submit, view } from "./batuta.ts";
import { recordingDb } from "./recording-db.ts";
import { newTenant } from "./tenant.ts";

interface Lessons {
  items: Lesson[];
  next_cursor: string | null;
}

const RESULT = {
  result: { answer: 42 },
  execution_summary: "done",
  metrics: { execution_time: 1, tokens_used: 10, cost: 0.01, quality_score: 0.9 },
  quality_assessment: { overall_score: 0.9 },
};

/** A task that an executor of its own completes. */
async function completed(name: string, more: object): Promise<string> {
  const executor = await new Executor(name).register();
  const { task_id } = await submit({ requires: { capabilities: [name] }, priority: "high" });
  await executor.claim();
  await executor.start();
  await executor.notify("task_completed", { ...RESULT, ...more });
  return task_id;
}

/** Writes lessons to history, one task each, a second apart; repeated news of each. */
async function learn(tenant: string, texts: readonly string[], copies = 1): Promise<number> {
  const recording = recordingDb(env.DB);
  const news = texts.map((text, index) => ({
    tenant,
    view: endedView(`t${index}`, { task_type: index % 2 ? "testing" : "research" }),
    events: [
      eventOf(9, {
        type: "task_completed",
        at: at(index),
        data: { data: { lessons_learned: [text] } },
      }),
    ],
    escalation: null,
    isRebuild: false,
  }));
  for (let copy = 0; copy < copies; copy += 1) await writeHistory(recording.db, project(news));
  return recording.rowsWritten();
}

async function search(tenant: string, query: Record<string, string>) {
  const found = await listLessons(env.DB, tenant, lessonsQuerySchema.parse(query));
  if (!found.ok) throw new Error(found.refusal.detail);
  return found.value;
}

describe("lessons", () => {
  it("of a completed task are found by a search", async () => {
    const lesson = "Ask for the unit of a column before summing it";
    const task_id = await completed("learner", { lessons_learned: [lesson, "Be brief."] });

    const { body } = await eventually(
      () => call<Lessons>("GET", "/v1/lessons?q=UNIT%20column&task_type=research"),
      (answer) => answer.body.items.length > 0,
    );

    expect(body).toEqual({
      items: [
        {
          lesson_id: expect.stringContaining(task_id),
          text: lesson,
          task_id,
          task_type: "research",
          agent_id: "learner",
          created_at: expect.any(String),
          matches: 2,
        },
      ],
      next_cursor: null,
    });
    const others = await newTenant("strangers");
    expect((await others<Lessons>("GET", "/v1/lessons")).body.items).toEqual([]);
  });

  it("that hold more of the words come first, then newer ones; beginnings of words count", async () => {
    await learn("ranked", [
      "parse the header",
      "parsers need a limit",
      "limit what a parser reads",
      "sleep",
    ]);

    const both = await search("ranked", { q: "parse limit" });
    const one = await search("ranked", { q: "parse", task_type: "testing" });

    expect(both.items.map(({ text, matches }) => [text, matches])).toEqual([
      ["limit what a parser reads", 2],
      ["parsers need a limit", 2],
      ["parse the header", 1],
    ]);
    expect(one.items.map(({ text }) => text)).toEqual(["parsers need a limit"]);
    expect((await search("ranked", { q: "arse" })).items).toEqual([]);
    expect((await search("ranked", { q: "?!" })).items).toEqual([]);
  });

  it("are listed newest first, page by page", async () => {
    await learn("paged", ["one", "two", "three"]);

    const first = await search("paged", { limit: "2" });
    const second = await search("paged", { limit: "2", cursor: first.next_cursor ?? "" });

    expect(first.items.map(({ text }) => text)).toEqual(["three", "two"]);
    expect([second.items.map(({ text }) => text), second.next_cursor]).toEqual([["one"], null]);
  });

  it("cost one row each, however often they are told, and a task without one costs none", async () => {
    const plain = await learn("silent", []);
    const once = await learn("once", ["a"]);
    const thrice = await learn("thrice", ["a"], 3);

    expect(plain).toBe(0);
    expect(thrice).toBe(once);
    const { results } = await env.DB.prepare("SELECT 1 FROM lesson WHERE tenant = 'thrice'").all();
    expect(results).toHaveLength(1);
  });
});

describe("next steps", () => {
  it("of a completed task become drafts, and a task once one is approved", async () => {
    const next_steps = ["Compare the answer with last year's", "Publish it on the page"];
    const task_id = await completed("adviser", { next_steps });

    const drafts = await call<NextSteps>("GET", `/v1/tasks/${task_id}/next-steps`);
    const approve = (index: number, overrides?: object) =>
      call<TaskView>("POST", `/v1/tasks/${task_id}/next-steps/${index}/approve`, { overrides });
    const first = await approve(1, { requires: { capabilities: ["nobody-has-this"] } });
    const again = await approve(1, { requires: { capabilities: ["nobody-has-this"] } });
    const other = await approve(1);
    const missing = await approve(2);

    expect(drafts.body.items.map(({ text }) => text)).toEqual(next_steps);
    expect(drafts.body.items[0]?.draft).toMatchObject({
      task_type: "research",
      description: next_steps[0],
      priority: "high",
      context: { previous_tasks: [task_id] },
    });
    expect(first.status).toBe(202);
    expect(first.headers.get("location")).toBe(`/v1/tasks/${first.body.task_id}`);
    expect(await view(first.body.task_id)).toMatchObject({
      description: next_steps[1],
      // It waits for the end of the task that it follows, which may have come already.
      phase: expect.stringMatching(/^(waiting_dependencies|queued)$/),
      metadata: { next_step_of: task_id, next_step: 1 },
    });
    expect([again.status, again.body.task_id]).toEqual([200, first.body.task_id]);
    expect([other.status, other.body]).toMatchObject([409, { code: "idempotency_conflict" }]);
    expect([missing.status, missing.body]).toMatchObject([400, { code: "validation_failed" }]);
  });

  it("of a task that nobody knows are not found", async () => {
    const steps = await call("GET", "/v1/tasks/nothing-here/next-steps");

    expect([steps.status, steps.body["code"]]).toEqual([404, "task_not_found"]);
  });
});
