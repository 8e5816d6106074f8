import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { writeHistory } from "../../src/history/history-store.ts";
import { project } from "../../src/history/projection.ts";
import { removeTasks } from "../../src/history/removed-store.ts";
import { outcomeOfView } from "../../src/history/removed.ts";
import {
  readEvents,
  readRecordedTo,
  readReport,
  readView,
} from "../../src/history/task-log-store.ts";
import type { TaskEvent, TaskView } from "../../src/protocol/task-view.ts";
import { timelineOf } from "../../src/protocol/timeline.ts";
import { at, eventOf, eventsOf, REPORT_DATA, viewOf } from "../task-news.ts";
import { isComplete } from "./complete.ts";

async function write(tenant: string, view: TaskView, events: TaskEvent[]): Promise<void> {
  const news = { tenant, view, events, escalation: null, isRebuild: false };
  await writeHistory(env.DB, project([news]));
}

describe("a task that only D1 still knows", () => {
  it("shows its view, its events, its report and a complete timeline", async () => {
    const view = viewOf({ seq: 8, status: "completed", phase: "ended", result: { rows: 3 } });
    const end = eventOf(8, { type: "agent_end_task", data: REPORT_DATA });
    const events = [...eventsOf(1, 7), end];
    await write("post-mortem", viewOf({ seq: 4 }), events.slice(0, 4));
    await write("post-mortem", view, events.slice(4));

    const [seen, log, report] = [
      await readView(env.DB, "post-mortem", "task-1"),
      await readEvents(env.DB, "post-mortem", "task-1", { after: 0, limit: 50 }),
      await readReport(env.DB, "post-mortem", "task-1"),
    ];

    expect(seen).toEqual(view);
    expect(log).toEqual({ items: events, next_cursor: null });
    expect(report).toEqual({ ...REPORT_DATA, timeline: timelineOf(events) });
    expect(report?.timeline.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("gives large members of its view back whole", async () => {
    const view = viewOf({
      result: { text: "x".repeat(50_000) },
      metadata: { y: "y".repeat(9_000) },
    });

    await write("large", view, eventsOf(1, 1));

    expect(await readView(env.DB, "large", "task-1")).toEqual(view);
  });

  it("has no view, no events and no report when there never was such a task", async () => {
    expect(await readView(env.DB, "nobody", "task-1")).toBeNull();
    expect(await readReport(env.DB, "nobody", "task-1")).toBeNull();
    expect(await readEvents(env.DB, "nobody", "task-1", { after: 0, limit: 5 })).toEqual({
      items: [],
      next_cursor: null,
    });
  });

  it("has no report before it has ended", async () => {
    await write("running", viewOf({ seq: 3 }), eventsOf(1, 3));

    expect(await readReport(env.DB, "running", "task-1")).toBeNull();
  });
});

describe("the events of a task", () => {
  it("come in pages that join without a gap, also where runs overlap", async () => {
    const tenant = "paged";
    await write(tenant, viewOf({ seq: 2 }), eventsOf(1, 2));
    await write(tenant, viewOf({ seq: 7 }), eventsOf(4, 7));
    await write(tenant, viewOf({ seq: 9 }), eventsOf(6, 9));
    await write(tenant, viewOf({ seq: 5 }), eventsOf(2, 5));

    const seen: number[] = [];
    let after: string | null = "0";
    while (after !== null) {
      const page: Awaited<ReturnType<typeof readEvents>> = await readEvents(
        env.DB,
        tenant,
        "task-1",
        { after: Number(after), limit: 2 },
      );
      seen.push(...page.items.map(({ seq }) => seq));
      after = page.next_cursor;
    }

    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("come in shorter pages where they are large, and none is lost", async () => {
    const tenant = "heavy";
    const events = eventsOf(1, 12).map((event) => ({
      ...event,
      data: { text: "x".repeat(900_000) },
    }));
    for (const event of events) await write(tenant, viewOf({ seq: event.seq }), [event]);

    const first = await readEvents(env.DB, tenant, "task-1", { after: 0, limit: 50 });
    const after = Number(first.next_cursor);
    const second = await readEvents(env.DB, tenant, "task-1", { after, limit: 50 });

    expect(first.items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(second.items[0]?.seq).toBe(6);
  });
});

describe("a history", () => {
  it("is complete when it has the view and every event up to a seq", async () => {
    await write("whole", viewOf({ seq: 3 }), eventsOf(1, 3));
    await write("gap", viewOf({ seq: 5 }), [...eventsOf(1, 2), ...eventsOf(4, 5)]);

    expect(
      await isComplete(env.DB, { tenant: "whole", task_id: "task-1", created_at: at(0) }, 3),
    ).toBe(true);
    expect(
      await isComplete(env.DB, { tenant: "whole", task_id: "task-1", created_at: at(0) }, 4),
    ).toBe(false);
    expect(
      await isComplete(env.DB, { tenant: "gap", task_id: "task-1", created_at: at(0) }, 2),
    ).toBe(true);
    expect(
      await isComplete(env.DB, { tenant: "gap", task_id: "task-1", created_at: at(0) }, 5),
    ).toBe(false);
    expect(
      await isComplete(env.DB, { tenant: "nobody", task_id: "task-1", created_at: at(0) }, 1),
    ).toBe(false);
  });

  it("says how far it has a task, and where another one is in its place", async () => {
    await write("far", viewOf({ seq: 5 }), [...eventsOf(1, 2), ...eventsOf(4, 5)]);
    await write("behind", viewOf({ seq: 3 }), eventsOf(1, 3));
    const to = (tenant: string, created_at = at(0)) =>
      readRecordedTo(env.DB, { tenant, task_id: "task-1", created_at });

    expect([await to("far"), await to("behind"), await to("nobody")]).toEqual([2, 3, 0]);
    expect(await to("behind", at(60))).toBeNull();
  });

  it("is not made complete by an earlier task of the same id, kept or removed", async () => {
    await write("lives", viewOf({ seq: 3 }), eventsOf(1, 3));
    const complete = (created_at: string) =>
      isComplete(env.DB, { tenant: "lives", task_id: "task-1", created_at }, 3);
    expect([await complete(at(0)), await complete(at(60))]).toEqual([true, false]);

    const place = null;
    const [outcome, removed_at] = [outcomeOfView(viewOf()), at(90)];
    const read = { task_id: "task-1", created_at: at(0), seq: 3, escalation_ids: [], debt_ids: [] };
    const gone = { ...read, ended_at: at(3), removed_at, outcome, place };
    await removeTasks(env.DB, "lives", [gone]);

    expect([await complete(at(0)), await complete(at(60))]).toEqual([true, false]);
  });
});
