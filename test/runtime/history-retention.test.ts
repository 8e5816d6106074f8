import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { Past } from "../../src/history/past.ts";
import type { Page } from "../../src/protocol/keyset.ts";
import type { Escalation, TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import { sweepHistory } from "../../src/services-sweep.ts";
import { REPORT_DATA, T0, at, eventOf } from "../task-news.ts";
import { eventually } from "./batuta.ts";
import { SLOT } from "./debtor.ts";
import {
  DAY_MS,
  LARGE,
  LATER,
  WITH,
  WITHOUT,
  past,
  reader,
  remember,
  rowsOf,
  tell,
} from "./past-tasks.ts";

/** What D1 has of a tenant whose only task was removed. */
const GONE = { task: 0, task_log: 0, escalation: 0, cleanup_debt: 0, removed_task: 1 };

const WAYS = [
  "",
  "/events",
  "/report",
  "/stream",
  "/explain",
  "/trace",
  "/commands",
  "/next-steps",
  "/notes",
  "/notes/a",
];

/** A task that left two things undone, one of them without an id. */
function indebted() {
  const { view, events, escalation } = past();
  const cleanup_debt = [
    { ...SLOT, debt_id: "debt_1_old" },
    { what: "a file", owner: "agent ann", expires_at: null },
  ];
  const end = { ...REPORT_DATA, task_id: "old", cleanup_debt };
  return {
    view,
    escalation,
    events: [...events.slice(0, 5), eventOf(6, { type: "agent_end_task", data: end })],
  };
}

describe("history that was kept for long enough", () => {
  it("is removed where no archive is bound, and answers 410 naming the end, the removal and the policy", async () => {
    await remember("gone", past());
    await sweepHistory(WITHOUT, LATER);
    const get = await reader(WITHOUT, "gone");

    const answers = [];
    for (const way of WAYS) answers.push(await get(`/v1/tasks/old${way}`));
    answers.push(await get("/v1/escalations/esc_1_old"));
    answers.push(
      await get("/v1/escalations/esc_1_old/resolve", { decision: "resume", answer: "no" }),
    );

    for (const { status, body } of answers) {
      expect([status, body["code"]]).toEqual([410, "task_gone"]);
      expect(body).toMatchObject({
        ended_at: at(6),
        removed_at: new Date(LATER()).toISOString(),
        retention_days: 365,
      });
    }
    expect(answers[0]?.body["detail"]).toContain("365 days");
    expect(await rowsOf("gone")).toEqual(GONE);
  });

  it("moves to the archive where one is bound: view, log, report and explanation are as before", async () => {
    const { view, events } = past({ metadata: { kept: true } });
    await remember("moved", past({ metadata: { kept: true } }));
    const get = await reader(WITH, "moved");
    const before = [await get("/v1/tasks/old/report"), await get("/v1/tasks/old/explain")];

    await sweepHistory(WITH, LATER);

    expect(await rowsOf("moved")).toEqual(GONE);
    expect((await get("/v1/tasks/old")).body).toEqual(view);
    const log = await get<Page<TaskEvent>>("/v1/tasks/old/events");
    expect(log.body).toEqual({ items: events, next_cursor: null });
    expect([await get("/v1/tasks/old/report"), await get("/v1/tasks/old/explain")]).toEqual(before);
    const stream = await get("/v1/tasks/old/stream?after=4");
    expect(stream.text).toMatch(/id: 5\nevent: task_progress\n[^]*id: 6\nevent: agent_end_task/);
  });

  it("is known to those that depend on it: the outcome for ever, the result as long as it is kept", async () => {
    await remember("outcomes", past());
    const pastOf = (bucket: R2Bucket | null) =>
      new Past({
        bucket,
        get: (_tenant, query) => query(env.DB),
        historyDays: 365,
        removedDays: null,
        now: LATER,
        log: () => {},
      });
    const outcome = (bucket: R2Bucket | null) => pastOf(bucket).outcome("outcomes", "old");
    const before = await outcome(null);

    await sweepHistory(WITH, LATER);

    expect(before).toMatchObject({ status: "completed", is_ended: true, result: LARGE });
    expect(await outcome(env.TEST_ARCHIVE)).toEqual(before);
    expect(await outcome(null)).toEqual({ ...before, result: null });
    expect(await pastOf(null).outcome("outcomes", "never-was")).toBeNull();
  });

  it("is read from the archive page by page", async () => {
    await remember("paged", past());
    await sweepHistory(WITH, LATER);
    const get = await reader(WITH, "paged");

    const seqs: number[][] = [];
    let cursor: string | null = "0";
    while (cursor !== null) {
      const page: { body: Page<TaskEvent> } = await get<Page<TaskEvent>>(
        `/v1/tasks/old/events?after=${cursor}&limit=4`,
      );
      seqs.push(page.body.items.map(({ seq }) => seq));
      cursor = page.body.next_cursor;
    }

    expect(seqs).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  it("is NDJSON in the archive, many tasks in one file, by tenant and day, each at its place", async () => {
    for (const task_id of ["a", "b", "c"]) await remember("together", past({ task_id }));
    await sweepHistory(WITH, LATER);

    const { objects } = await env.TEST_ARCHIVE.list({ prefix: "tasks/together/2026-11-22/" });
    expect(objects).toHaveLength(1);
    const file = await env.TEST_ARCHIVE.get(objects[0]?.key ?? "");
    const lines = ((await file?.text()) ?? "").trimEnd().split("\n");
    expect(lines).toHaveLength(3 * 7);
    expect(JSON.parse(lines[7] ?? "")).toEqual(past({ task_id: "b" }).view);
    const get = await reader(WITH, "together");
    expect((await get("/v1/tasks/c")).body).toMatchObject({ task_id: "c" });
  });

  it("is not listed and not counted any more", async () => {
    await remember("unlisted", past());
    const { items } = (await (await reader(WITHOUT, "unlisted"))<Page<TaskView>>("/v1/tasks")).body;
    expect(items).toHaveLength(1);
    await sweepHistory(WITHOUT, LATER);
    const get = await reader(WITHOUT, "unlisted");

    expect((await get<Page<TaskView>>("/v1/tasks")).body.items).toEqual([]);
    expect((await get<Page<Escalation>>("/v1/escalations")).body.items).toEqual([]);
  });

  it("takes its debts with it, whatever became of them", async () => {
    await remember("indebted", indebted());
    await remember("indebted", past({ task_id: "other", ended_at: at(86_400 * 300) }));
    expect(await rowsOf("indebted")).toMatchObject({ task: 2, cleanup_debt: 2 });

    await sweepHistory(WITHOUT, LATER);

    expect(await rowsOf("indebted")).toMatchObject({ task: 1, cleanup_debt: 0, escalation: 1 });
  });

  it("is not removed as long as it has holes", async () => {
    const { view, events } = past();
    await tell("holes", view, events.slice(3));
    await sweepHistory(WITHOUT, LATER);
    expect(await rowsOf("holes")).toMatchObject({ task: 1, removed_task: 0 });

    await tell("holes", view, events.slice(0, 3));
    await sweepHistory(WITHOUT, LATER);

    expect(await rowsOf("holes")).toMatchObject({ task: 0, removed_task: 1 });
  });

  it("leaves its ids taken: nothing is created under them again", async () => {
    await remember("taken", past());
    await sweepHistory(WITHOUT, LATER);
    const send = await reader(WITHOUT, "taken");
    const task = { task_id: "old", task_type: "research", description: "the id is an old one" };

    const refused = await send("/v1/tasks", task);

    expect([refused.status, refused.body["code"]]).toEqual([409, "idempotency_conflict"]);
    expect(refused.body["existing_task_id"]).toBe("old");
    expect((await send("/v1/tasks/old")).status).toBe(410);
  });

  it("is not brought back by news that come late", async () => {
    await remember("late", indebted());
    await sweepHistory(WITHOUT, LATER);

    await remember("late", indebted());

    expect(await rowsOf("late")).toEqual(GONE);
  });

  it("lets those start that depend on it", async () => {
    await remember("needed", past());
    await sweepHistory(WITHOUT, LATER);
    const send = await reader(WITHOUT, "needed");

    const dependent = await send<TaskView>("/v1/tasks", {
      task_type: "research",
      description: "a task that comes after an old one",
      parameters: { dependencies: ["old"] },
      requires: { capabilities: ["nobody-has-this"] },
    });

    expect(dependent.status).toBe(202);
    await eventually(
      async () => (await send<TaskView>(`/v1/tasks/${dependent.body.task_id}`)).body.phase,
      (phase) => phase === "queued",
    );
  });

  it("was over for the whole retention, and was over at all", async () => {
    await remember("young", past({ task_id: "yesterday", ended_at: at(86_400) }));
    await remember("young", past({ task_id: "running", phase: "executing", ended_at: null }));
    await sweepHistory(WITHOUT, () => T0 + 365 * DAY_MS + 10_000);

    expect(await rowsOf("young")).toMatchObject({ task: 2, removed_task: 0 });
  });
});
