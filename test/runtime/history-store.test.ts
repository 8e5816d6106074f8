import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { listEscalations } from "../../src/history/escalation-store.ts";
import { writeHistory } from "../../src/history/history-store.ts";
import type { TaskNews } from "../../src/history/news.ts";
import { project } from "../../src/history/projection.ts";
import { readEvents, readView } from "../../src/history/task-log-store.ts";
import { at, escalationOf, eventOf, eventsOf, viewOf } from "../task-news.ts";
import { isComplete } from "./complete.ts";
import { recordingDb } from "./recording-db.ts";

let tenants = 0;
const newTenant = () => `tenant-${(tenants += 1)}`;

function newsOf(tenant: string, changes: Partial<TaskNews> = {}): TaskNews {
  const view = changes.view ?? viewOf();
  const events = eventsOf(view.seq, view.seq);
  return { tenant, events, escalation: null, isRebuild: false, ...changes, view };
}

/** Writes one batch; answers how many rows that cost. */
async function write(...news: TaskNews[]): Promise<number> {
  const recording = recordingDb(env.DB);
  await writeHistory(recording.db, project(news));
  return recording.rowsWritten();
}

const rowsOf = async (table: string, tenant: string) =>
  (await env.DB.prepare(`SELECT * FROM ${table} WHERE tenant = ?`).bind(tenant).all()).results;

/** The columns that say what a task is; how its events are spread over rows is not among them. */
async function stateOf(tenant: string) {
  const tasks = (await rowsOf("task", tenant)).map((row) => ({ ...row, events: 0, events_to: 0 }));
  const events = await readEvents(env.DB, tenant, "task-1", { after: 0, limit: 200 });
  const escalations = await rowsOf("escalation", tenant);
  return { tasks, events, escalations };
}

describe("the history of a task in D1", () => {
  it("costs four rows for a new task, two when its status changes, one for any other news and two at its end", async () => {
    const tenant = newTenant();
    const step = (seq: number, changes: Parameters<typeof viewOf>[0] = {}) =>
      write(newsOf(tenant, { view: viewOf({ seq, ...changes }) }));

    const costs = [
      await step(1),
      await step(2, { status: "running", phase: "executing", agent_id: "exec-1" }),
      await step(3, { status: "running", phase: "executing", progress_percentage: 40 }),
      await step(4, { status: "completed", phase: "finalizing" }),
      await step(5, { status: "completed", phase: "ended", ended_at: at(5) }),
    ];

    expect(costs).toEqual([4, 2, 1, 1, 2]);
    expect(await rowsOf("task_log", tenant)).toEqual([]);
  });

  it("costs four rows for a task that history first hears of when it has ended", async () => {
    const view = viewOf({
      seq: 9,
      status: "completed",
      phase: "ended",
      agent_id: "exec-1",
      ended_at: at(9),
    });

    expect(await write(newsOf(newTenant(), { view, events: eventsOf(1, 9) }))).toBe(4);
  });

  it("writes nothing for news that are repeated or stale", async () => {
    const tenant = newTenant();
    const older = newsOf(tenant, { view: viewOf({ seq: 2 }), events: eventsOf(1, 2) });
    const newer = newsOf(tenant, {
      view: viewOf({ seq: 4, status: "escalated" }),
      events: eventsOf(3, 4),
      escalation: escalationOf(),
    });
    await write(older);
    await write(newer);

    expect([await write(newer), await write(older), await write(older, newer)]).toEqual([0, 0, 0]);
    expect(await readView(env.DB, tenant, "task-1")).toEqual(newer.view);
  });

  it("keeps events that come out of order apart until all are there", async () => {
    const tenant = newTenant();
    await write(newsOf(tenant, { view: viewOf({ seq: 2 }), events: eventsOf(1, 2) }));
    await write(newsOf(tenant, { view: viewOf({ seq: 6 }), events: eventsOf(5, 6) }));

    expect(await isComplete(env.DB, { tenant, task_id: "task-1", created_at: at(0) }, 6)).toBe(
      false,
    );

    await write(newsOf(tenant, { view: viewOf({ seq: 4 }), events: eventsOf(3, 4) }));

    expect(await isComplete(env.DB, { tenant, task_id: "task-1", created_at: at(0) }, 6)).toBe(
      true,
    );
    const { items } = await readEvents(env.DB, tenant, "task-1", { after: 0, limit: 50 });
    expect(items).toEqual(eventsOf(1, 6));
  });

  it("lets a longer run take the place of those it contains", async () => {
    const tenant = newTenant();
    const runOf = (from: number, to: number) =>
      newsOf(tenant, { view: viewOf({ seq: to }), events: eventsOf(from, to) });
    for (const news of [runOf(3, 4), runOf(6, 7), runOf(3, 5), runOf(2, 8)]) await write(news);

    const runs = await rowsOf("task_log", tenant);

    expect(runs).toMatchObject([{ first_seq: 2, last_seq: 8 }]);
  });

  it("knows the request again whose task's first news come last", async () => {
    const tenant = newTenant();
    await write(newsOf(tenant, { view: viewOf({ seq: 4 }), events: eventsOf(2, 4) }));
    const first = { ...newsOf(tenant, { view: viewOf({ seq: 1 }) }), body_hash: "hash" };

    const costs = [await write(first), await write(first)];

    expect(await rowsOf("task", tenant)).toMatchObject([{ seq: 4, body_hash: "hash" }]);
    // The row, and the run that did not follow; the second time nothing.
    expect(costs).toEqual([2, 0]);
  });

  it("moves on to further rows when the task's own is full", async () => {
    const tenant = newTenant();
    const text = "x".repeat(20_000);
    for (let seq = 1; seq <= 6; seq += 1) {
      const events = [eventOf(seq, { data: { text } })];
      await write(newsOf(tenant, { view: viewOf({ seq }), events }));
    }

    const [task] = await rowsOf("task", tenant);

    expect(task).toMatchObject({ seq: 6, events_to: 3 });
    expect(await rowsOf("task_log", tenant)).toHaveLength(3);
    expect(await isComplete(env.DB, { tenant, task_id: "task-1", created_at: at(0) }, 6)).toBe(
      true,
    );
  });

  it("keeps tenants apart that use the same task_id", async () => {
    const [one, other] = [newTenant(), newTenant()];

    await write(newsOf(one, { view: viewOf({ description: "the first of them" }) }), newsOf(other));

    expect((await readView(env.DB, one, "task-1"))?.description).toBe("the first of them");
    expect((await readView(env.DB, other, "task-1"))?.description).toBe("Profile the table");
  });

  it("never lets an older escalation replace a newer one", async () => {
    const tenant = newTenant();
    const opened = newsOf(tenant, { view: viewOf({ seq: 3 }), escalation: escalationOf() });
    const closed = escalationOf({ state: "resolved", resolved_at: at(9), decision: "resume" });
    await write(newsOf(tenant, { view: viewOf({ seq: 5 }), escalation: closed }));

    await write(opened);

    const page = await listEscalations(env.DB, tenant, { limit: 10 });
    expect(page).toMatchObject({ ok: true, value: { items: [closed] } });
  });

  it("writes an escalation once while the news only repeat it", async () => {
    const tenant = newTenant();
    const newsAt = (seq: number) =>
      newsOf(tenant, { view: viewOf({ seq }), escalation: escalationOf() });

    expect([await write(newsAt(1)), await write(newsAt(2))]).toEqual([7, 1]);
  });

  it("writes damaged rows anew when a task is rebuilt, and leaves newer ones alone", async () => {
    const tenant = newTenant();
    const view = viewOf({ seq: 6, status: "running" });
    await write(newsOf(tenant, { view, events: eventsOf(1, 6) }));
    await env.DB.prepare(
      "UPDATE task SET status = 'failed', events = '[]', events_to = 0 WHERE tenant = ?",
    )
      .bind(tenant)
      .run();
    const rebuild = newsOf(tenant, { view, events: eventsOf(1, 6), isRebuild: true });

    await write(rebuild);

    expect(await rowsOf("task", tenant)).toMatchObject([{ status: "running", events_to: 6 }]);
    await write(newsOf(tenant, { view: viewOf({ seq: 7 }), events: eventsOf(7, 7) }));
    await write(rebuild);
    expect(await isComplete(env.DB, { tenant, task_id: "task-1", created_at: at(0) }, 7)).toBe(
      true,
    );
    expect(await readView(env.DB, tenant, "task-1")).toMatchObject({ seq: 7 });
  });

  it("stores a view near the size of a row", async () => {
    const tenant = newTenant();
    const result = { text: 'é"'.repeat(400_000) };
    const view = viewOf({ seq: 1, status: "completed", result });

    await write(newsOf(tenant, { view }));

    expect(await readView(env.DB, tenant, "task-1")).toEqual(view);
  });

  it("is the same whatever the order, the batches and the repetitions of the news", async () => {
    const last = 9;
    const viewAt = (seq: number) =>
      viewOf({
        seq,
        status: seq < 3 ? "pending" : seq < 8 ? "running" : "completed",
        current_step: `step ${seq}`,
      });
    const escalation = (seq: number) =>
      seq === 4 || seq === 6 ? escalationOf({ question: `asked at ${seq}` }) : null;
    const range = fc
      .tuple(fc.integer({ min: 1, max: last }), fc.integer({ min: 1, max: last }))
      .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
    const inOrder = Array.from({ length: last }, (_, index) => ({
      from: index + 1,
      to: index + 1,
    }));
    const newsIn = (tenant: string, { from, to }: { from: number; to: number }) =>
      newsOf(tenant, {
        view: viewAt(to),
        events: eventsOf(from, to),
        escalation: escalation(to),
      });
    const expectedTenant = newTenant();
    for (const step of inOrder) await write(newsIn(expectedTenant, step));
    const expected = JSON.stringify(await stateOf(expectedTenant));

    await fc.assert(
      fc.asyncProperty(
        fc
          .array(range, { maxLength: 8 })
          .chain((extra) =>
            fc.tuple(
              fc.shuffledSubarray([...inOrder, ...extra], { minLength: last + extra.length }),
              fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 20, maxLength: 20 }),
            ),
          ),
        async ([steps, sizes]) => {
          const tenant = newTenant();
          const queue = steps.map((step) => newsIn(tenant, step));
          const batches = sizes.map((size) => queue.splice(0, size));
          for (const batch of batches) await write(...batch);

          const state = JSON.stringify(await stateOf(tenant));

          expect(state.replaceAll(tenant, expectedTenant)).toBe(expected);
          expect(
            await isComplete(env.DB, { tenant, task_id: "task-1", created_at: at(0) }, last),
          ).toBe(true);
          for (const batch of batches) expect(await write(...batch)).toBe(0);
          const nested = await env.DB.prepare(
            `SELECT 1 FROM task_log a JOIN task_log b USING (tenant, task_id)
             WHERE a.tenant = ? AND a.first_seq <> b.first_seq
               AND a.first_seq <= b.first_seq AND a.last_seq >= b.last_seq`,
          )
            .bind(tenant)
            .all();
          expect(nested.results).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);
});
