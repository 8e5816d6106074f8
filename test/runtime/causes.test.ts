import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { causesOf } from "../../src/history/causes.ts";
import { writeHistory } from "../../src/history/history-store.ts";
import type { TaskNews } from "../../src/history/news.ts";
import { project } from "../../src/history/projection.ts";
import type { Insights } from "../../src/protocol/observation.ts";
import { eventOf, eventsOf, viewOf } from "../task-news.ts";
import { Executor, call, ended, eventually, submit, view } from "./batuta.ts";
import { recordingDb } from "./recording-db.ts";

/* From the post-mortem of a report to the insights: what goes wrong again and again is one finding. */

let tenants = 0;

const END = eventOf(60, {
  type: "agent_end_task",
  data: {
    post_mortem: [
      { class: "tool", action: "Retried: attempt 2 was planned after 30 s" },
      { class: "lease_lost", action: "Retried: attempt 3 was planned after 60 s" },
      { class: "tool", action: "Ended: no attempt followed" },
    ],
  },
});
const CAUSES = [
  { class: "tool", remedy: "Ended" },
  { class: "lease_lost", remedy: "Retried" },
];

function history() {
  tenants += 1;
  const tenant = `causes-${tenants}`;
  const ended_view = viewOf({ seq: 60, status: "completed", phase: "ended" });
  const news = (events: TaskNews["events"], more: Partial<TaskNews> = {}): TaskNews => ({
    tenant,
    view: ended_view,
    events,
    escalation: null,
    isRebuild: false,
    ...more,
  });
  return {
    news,
    first: news(eventsOf(1, 50)),
    last: news([...eventsOf(51, 59), END]),
    write: async (...all: TaskNews[]): Promise<number> => {
      const recording = recordingDb(env.DB);
      await writeHistory(recording.db, project(all));
      return recording.rowsWritten();
    },
    causes: async (): Promise<unknown> => {
      const row = await env.DB.prepare("SELECT causes FROM task WHERE tenant = ?")
        .bind(tenant)
        .first<{ causes: string | null }>();
      return row?.causes == null ? null : JSON.parse(row.causes);
    },
  };
}

describe("the causes of a task in history", () => {
  it("are those of its report, each class once, with what was done the last time", () => {
    expect(causesOf([eventOf(1), END])).toEqual(CAUSES);
    expect(causesOf([eventOf(1)])).toEqual([]);
    const old = { ...END, data: { post_mortem: [{ class: "tool", action: "None was possible" }] } };
    expect(causesOf([old])).toEqual([{ class: "tool", remedy: null }]);
    expect(causesOf([{ ...END, data: {} }])).toEqual([]);
  });

  it("are in the task's own row, at no further cost", async () => {
    const { news, write, causes } = history();
    await write(news(eventsOf(1, 40), { view: viewOf({ seq: 40, status: "completed" }) }));

    const cost = await write(news([...eventsOf(41, 59), END]));

    expect([cost, await causes()]).toEqual([1, CAUSES]);
  });

  it.each(["in order", "out of order", "together"])(
    "are there when the news come %s",
    async (how) => {
      const { first, last, write, causes } = history();
      const orders = new Map([
        ["in order", [[first], [last]]],
        ["out of order", [[last], [first]]],
        ["together", [[first, last]]],
      ]);

      for (const part of orders.get(how) ?? []) await write(...part);

      expect(await causes()).toEqual(CAUSES);
    },
  );

  it("are written once when the news come twice", async () => {
    const { first, last, write } = history();
    await write(first);
    await write(last);

    expect(await write(last)).toBe(0);
  });

  it("are written anew with the rest when history is rebuilt", async () => {
    const { news, first, last, write, causes } = history();
    await write(first, last);

    await write(news([...eventsOf(1, 59), END], { isRebuild: true }));

    expect(await causes()).toEqual(CAUSES);
  });

  it("are null where nothing went wrong", async () => {
    const { news, write, causes } = history();
    const clean = { ...END, data: { post_mortem: [] } };

    await write(news([...eventsOf(1, 59), clean]));

    expect(await causes()).toBeNull();
  });
});

/** A task that fails once of a cause and then succeeds. */
async function hiddenFailure(name: string, cause: string): Promise<string> {
  const executor = await new Executor(name).register();
  const { task_id } = await submit({
    requires: { capabilities: [name] },
    execution_options: { retry_policy: { max_retries: 1, retry_delay: 1 } },
  });
  await executor.claim();
  await executor.start();
  await executor.fail({ root_cause: { class: cause, detail: "it is flaky", evidence: "" } });
  await eventually(
    () => view(task_id),
    ({ phase }) => phase === "queued",
  );
  await executor.claim();
  await executor.start();
  await executor.complete();
  await executor.end();
  await ended(task_id);
  return task_id;
}

describe("five equal causes", () => {
  it("are one finding, although a retry hid each of them", async () => {
    const names = Array.from({ length: 5 }, (_, index) => `flaky-${index}`);

    await Promise.all(names.map((name) => hiddenFailure(name, "flaky_disk")));

    const found = await eventually(
      async () => (await call<Insights>("GET", "/v1/insights")).body.items,
      (items) => items.some(({ subject }) => subject.id === "flaky_disk"),
    );
    expect(found.filter(({ subject }) => subject.id === "flaky_disk")).toMatchObject([
      {
        rule: "recurring_cause",
        evidence: {
          tasks: 5,
          task_types: "research 5",
          effect: "failed 0, succeeded 5, cancelled 0",
          action: "Retried 5",
        },
      },
    ]);
  }, 60_000);
});
