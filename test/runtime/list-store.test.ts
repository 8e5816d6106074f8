import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

import { listEscalations } from "../../src/history/escalation-store.ts";
import { writeHistory } from "../../src/history/history-store.ts";
import { listTasks } from "../../src/history/list-store.ts";
import { project } from "../../src/history/projection.ts";
import { statusRequestSchema, type StatusRequest } from "../../src/protocol/queries.ts";
import type { Escalation, TaskView } from "../../src/protocol/task-view.ts";
import { at, escalationOf, eventsOf, T0, viewOf } from "../task-news.ts";
import { recordingDb, rowsReadBy } from "./recording-db.ts";

const queryOf = (changes: Partial<Record<keyof StatusRequest, string>> = {}) =>
  statusRequestSchema.parse(changes);

async function write(tenant: string, views: TaskView[], escalation: Escalation | null = null) {
  const news = views.map((view) => ({
    tenant,
    view,
    events: eventsOf(1, view.seq),
    escalation,
    isRebuild: false,
  }));
  await writeHistory(env.DB, project(news));
}

async function idsOf(tenant: string, changes: Parameters<typeof queryOf>[0] = {}) {
  const listed = await listTasks(env.DB, tenant, queryOf(changes));
  return listed.ok ? listed.value.items.map(({ task_id }) => task_id) : listed.refusal;
}

/** Tasks that only have what a list reads, `count` of them, one each second, every tenth not completed. */
async function fill(tenant: string, count: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     INSERT INTO task (tenant, task_id, created_at, seq, status, phase, task_type, priority, agent_id, tags,
         events_to, view, bulk, events)
       SELECT ?1, 'task-' || i, strftime('%Y-%m-%dT%H:%M:%S.000Z', ?3 + i, 'unixepoch'), 1,
       iif(i % 10 = 0, 'failed', 'completed'), 'ended', 'general', 'normal', 'exec-' || (i % 7), '[]',
       0, ?4, NULL, '[]' FROM n`,
  )
    .bind(tenant, count, T0 / 1_000, JSON.stringify(viewOf()))
    .run();
}

/** Rows that D1 reads to list tasks once. */
async function rowsRead(tenant: string, changes: Parameters<typeof queryOf>[0]): Promise<number> {
  const recording = recordingDb(env.DB);
  await listTasks(recording.db, tenant, queryOf(changes));
  let rows = 0;
  for (const sent of recording.sent) rows += await rowsReadBy(env.DB, sent);
  return rows;
}

describe("the list of tasks", () => {
  beforeAll(async () => {
    await write("acme", [
      viewOf({ task_id: "a", created_at: at(1), status: "completed", phase: "ended" }),
      viewOf({ task_id: "b", created_at: at(2), priority: "high", tags: ["blue", "red"] }),
      viewOf({
        task_id: "c",
        created_at: at(2),
        status: "running",
        phase: "executing",
        agent_id: "x",
      }),
      viewOf({ task_id: "d", created_at: at(3), status: "failed", phase: "ended", tags: ["red"] }),
      viewOf({ task_id: "e", created_at: at(4), task_type: "general", phase: "finalizing" }),
    ]);
    await write("other", [viewOf({ task_id: "foreign", created_at: at(9) })]);
  });

  it("is of one tenant, newest first", async () => {
    expect(await idsOf("acme")).toEqual(["e", "d", "c", "b", "a"]);
    expect(await idsOf("nobody")).toEqual([]);
  });

  it.each([
    [{ status: "completed" }, ["a"]],
    [{ status: "failed" }, ["d"]],
    [{ status: "cancelled" }, []],
    [{ phase: "executing" }, ["c"]],
    [{ phase: "ended" }, ["d", "a"]],
    [{ phase: "finalizing", status: "pending" }, ["e"]],
    [{ task_type: "general" }, ["e"]],
    [{ agent_id: "x" }, ["c"]],
    [{ priority: "high" }, ["b"]],
    [{ tag: "red" }, ["d", "b"]],
    [{ tag: "re" }, []],
    [{ tag: "red", status: "failed" }, ["d"]],
    [{ created_after: at(2) }, ["e", "d"]],
    [{ created_after: "2026-11-22T01:00:03+01:00" }, ["e"]],
  ])("keeps to %o", async (changes, ids) => {
    expect(await idsOf("acme", changes)).toEqual(ids);
  });

  it("goes on from page to page, past equal instants, and neither repeats nor leaves out", async () => {
    const seen: string[][] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const listed = await listTasks(
        env.DB,
        "acme",
        queryOf({ limit: "2", ...(cursor !== undefined && { cursor }) }),
      );
      if (!listed.ok) throw new Error(listed.refusal.detail);
      seen.push(listed.value.items.map(({ task_id }) => task_id));
      cursor = listed.value.next_cursor;
    }

    expect(seen).toEqual([["e", "d"], ["c", "b"], ["a"]]);
  });

  it("refuses a cursor that is not one", async () => {
    const listed = await listTasks(env.DB, "acme", queryOf({ cursor: "x" }));

    expect(listed).toMatchObject({
      ok: false,
      refusal: { code: "validation_failed", errors: [{ pointer: "/cursor" }] },
    });
  });

  it("shows large results as null, so that a page stays small", async () => {
    const result = { text: "x".repeat(100_000) };
    await write("bulky", [viewOf({ result })]);

    const listed = await listTasks(env.DB, "bulky", queryOf());

    expect(listed).toMatchObject({
      ok: true,
      value: { items: [{ task_id: "task-1", result: null }] },
    });
  });

  it("goes on where the last scan ended, also when it found nothing", async () => {
    await fill("sparse", 4_500);
    await write("sparse", [
      viewOf({ task_id: "oldest", tags: ["rare"], created_at: at(-1) }),
      viewOf({ task_id: "newest", tags: ["rare"], created_at: at(9_999) }),
    ]);

    const pages: number[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const listed = await listTasks(
        env.DB,
        "sparse",
        queryOf({ tag: "rare", ...(cursor !== undefined && { cursor }) }),
      );
      if (!listed.ok) throw new Error(listed.refusal.detail);
      pages.push(listed.value.items.length);
      cursor = listed.value.next_cursor;
    }

    expect(pages).toEqual([1, 0, 1]);
  });
});

describe("the cost of a list among many tasks", () => {
  beforeAll(async () => {
    await fill("small", 1_000);
    await fill("large", 100_000);
  }, 60_000);

  it.each([
    [{}],
    [{ status: "failed" }],
    [{ status: "completed" }],
    [{ status: "running" }],
    [{ agent_id: "exec-3" }],
    [{ tag: "none" }],
    [{ created_after: at(500) }],
  ])("is at most twice as high among 100,000 as among 1,000 for %o", async (changes) => {
    const small = await rowsRead("small", changes);
    const large = await rowsRead("large", changes);

    expect(large).toBeLessThanOrEqual(2 * small);
  });
});

describe("the list of escalations", () => {
  beforeAll(async () => {
    for (const [second, state] of (["open", "resolved", "open"] as const).entries()) {
      const escalation = escalationOf({
        escalation_id: `esc_${second}`,
        state,
        created_at: at(second),
      });
      await write("asking", [viewOf({ seq: second + 1 })], escalation);
    }
  });

  it("is newest first, all or in one state, page by page", async () => {
    const ids = async (query: { state?: "open" | "expired"; cursor?: string }) => {
      const listed = await listEscalations(env.DB, "asking", { ...query, limit: 2 });
      if (!listed.ok) throw new Error(listed.refusal.detail);
      const { items, next_cursor } = listed.value;
      return { ids: items.map(({ escalation_id }) => escalation_id), next_cursor };
    };

    const first = await ids({});

    expect(first.ids).toEqual(["esc_2", "esc_1"]);
    expect(await ids({ cursor: first.next_cursor ?? "" })).toEqual({
      ids: ["esc_0"],
      next_cursor: null,
    });
    expect((await ids({ state: "open" })).ids).toEqual(["esc_2", "esc_0"]);
    expect((await ids({ state: "expired" })).ids).toEqual([]);
  });

  it("refuses a cursor that is not one", async () => {
    const listed = await listEscalations(env.DB, "asking", { cursor: "x", limit: 2 });

    expect(listed).toMatchObject({ ok: false, refusal: { code: "validation_failed" } });
  });
});
