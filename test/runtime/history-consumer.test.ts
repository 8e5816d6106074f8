import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { HistoryPorts } from "../../src/history/history-consumer.ts";
import type { RawNews } from "../../src/history/news.ts";
import { readEvents, readView } from "../../src/history/task-log-store.ts";
import { at, eventsOf, viewOf } from "../task-news.ts";
import { isComplete } from "./complete.ts";
import { consume, hangingDb, homes, newsOf, reference } from "./news-batch.ts";

describe("the consumer of task news", () => {
  it("writes a hundred messages in one round trip with one parameter for each statement", async () => {
    const bodies = Array.from({ length: 100 }, (_, index) => newsOf("many", 1, 2, `task-${index}`));

    const { acked, recording } = await consume(bodies);

    expect(acked).toHaveLength(100);
    expect(recording.trips()).toBe(1);
    expect(recording.sent.map(({ params }) => params.length)).toEqual(recording.sent.map(() => 1));
    expect(
      await isComplete(env.DB, { tenant: "many", task_id: "task-99", created_at: at(0) }, 2),
    ).toBe(true);
  });

  it("makes all news of one task in a batch one row", async () => {
    const bodies = [newsOf("merged", 3, 4), newsOf("merged", 1, 2), newsOf("merged", 5, 9)];

    const { recording } = await consume(bodies);

    // And one of the roll-up.
    expect(recording.rowsWritten()).toBe(4);
    expect(await readView(env.DB, "merged", "task-1")).toMatchObject({ seq: 9 });
  });

  it("puts what can't be read aside, with the reason, and writes the rest", async () => {
    const corrupt = [
      "text",
      null,
      { ...newsOf("mixed", 1, 1), form: "unheard-of" },
      { ...newsOf("mixed", 1, 1), view: "{" },
      { ...newsOf("mixed", 1, 1), events: [{}] },
      { ...newsOf("mixed", 1, 1), extra: true },
      { ...newsOf("mixed", 1, 1), task_id: "another" },
    ];

    const { acked, deadLetters, retried } = await consume([...corrupt, newsOf("mixed", 1, 1)]);

    expect(acked).toHaveLength(8);
    expect(retried).toEqual([]);
    expect(deadLetters.map(({ body }) => body).sort()).toEqual(
      corrupt.map((body) => JSON.stringify(body)).sort(),
    );
    expect(deadLetters.every(({ queue, reason }) => queue === "batuta-events" && reason)).toBe(
      true,
    );
    expect(
      await isComplete(env.DB, { tenant: "mixed", task_id: "task-1", created_at: at(0) }, 1),
    ).toBe(true);
    expect(await readView(env.DB, "mixed", "another")).toBeNull();
  });

  it("keeps a corrupt message that could not be put aside", async () => {
    const { acked, retried } = await consume(["text"], {
      deadLetter: () => Promise.reject(new Error("queue is down")),
    });

    expect([acked, retried]).toEqual([[], ["m0"]]);
  });

  it("fetches large news from the task's object, part by part", async () => {
    const asked: number[] = [];
    const read = async (_tenant: string, _task: string, after: number): Promise<RawNews> => {
      asked.push(after);
      const view = JSON.stringify(viewOf({ seq: 7 }));
      return { view, events: eventsOf(after + 1, Math.min(after + 3, 7)) };
    };

    const { acked } = await consume([reference("large")], { read });

    expect([acked, asked]).toEqual([["m0"], [0, 3, 6]]);
    const { items } = await readEvents(env.DB, "large", "task-1", { after: 0, limit: 50 });
    expect(items).toEqual(eventsOf(1, 7));
  });

  it("writes the rows of a task anew when a reference asks for it", async () => {
    await consume([newsOf("rebuilt", 1, 5)]);
    await env.DB.exec("UPDATE task SET priority = 'low' WHERE tenant = 'rebuilt'");
    const read = async () => ({ view: JSON.stringify(viewOf({ seq: 5 })), events: eventsOf(1, 5) });

    await consume([reference("rebuilt", { rebuild: true })], { read });

    const row = await env.DB.prepare("SELECT priority FROM task WHERE tenant = 'rebuilt'").first();
    expect(row).toEqual({ priority: "normal" });
    expect(
      await isComplete(env.DB, { tenant: "rebuilt", task_id: "task-1", created_at: at(0) }, 5),
    ).toBe(true);
  });

  it("writes nothing for a reference that others have overtaken, and what is missing where one was lost", async () => {
    const read = async (_tenant: string, _task: string, after: number) => ({
      view: JSON.stringify(viewOf({ seq: 5 })),
      events: eventsOf(after + 1, 5),
    });
    const told = [newsOf("late", 1, 2), newsOf("late", 3, 5), newsOf("lost", 1, 2)];
    await consume(told);

    const late = await consume([reference("late", { after: 2 })], { read });
    const lost = await consume([reference("lost", { after: 2 })], { read });

    expect([late.acked, late.recording.rowsWritten()]).toEqual([["m0"], 0]);
    expect([lost.acked, lost.recording.rowsWritten()]).toEqual([["m0"], 1]);
    const task = { tenant: "lost", task_id: "task-1", created_at: at(0) };
    expect(await isComplete(env.DB, task, 5)).toBe(true);
  });

  it("puts a reference aside that leads nowhere, and repeats one that could not be followed", async () => {
    const failing = { read: () => Promise.reject(new Error("object is overloaded")) };

    const gone = await consume([reference("gone")]);
    const down = await consume([reference("down"), newsOf("down", 1, 1)], failing);

    expect([gone.acked, gone.deadLetters.length]).toEqual([["m0"], 1]);
    expect([down.acked, down.retried]).toEqual([["m1"], ["m0"]]);
  });

  it("writes a message alone after its third attempt, so that it can't hold back others", async () => {
    await env.DB.prepare(
      `CREATE TRIGGER poison BEFORE INSERT ON task WHEN new.task_id = 'poison'
       BEGIN SELECT raise(ABORT, 'D1 never takes this'); END`,
    ).run();
    const bodies = [newsOf("poisoned", 1, 1, "poison"), newsOf("poisoned", 1, 1, "healthy")];

    const third = await consume(bodies, {}, 3);
    const fourth = await consume(bodies, {}, 4);

    expect([third.acked, third.retried]).toEqual([[], ["m0", "m1"]]);
    expect([fourth.acked, fourth.retried]).toEqual([["m1"], ["m0"]]);
  });

  it("brings back of a batch what its own database did not take, and acknowledges the rest", async () => {
    // The second database has no tables here; of the last tenant nobody knows where it is.
    const history = homes((tenant) => {
      if (tenant === "nowhere") throw new Error("DB_9 is not bound");
      return tenant === "far" ? env.TEST_DATABASE : env.DB;
    });
    const bodies = ["far", "near", "nowhere", "near"].map((tenant) => newsOf(tenant, 1, 1));

    const done = await consume(bodies, { history: { ...history, known: () => null } });

    expect([done.acked, done.retried]).toEqual([
      ["m1", "m3"],
      ["m0", "m2"],
    ]);
    expect(await readView(env.DB, "near", "task-1")).toMatchObject({ seq: 1 });
  });

  it("acknowledges what other databases took while one never answers, and asks that one once", async () => {
    const hanging = hangingDb();
    const whole = ["stuck", "swift"].map((tenant) => newsOf(tenant, 1, 1));
    const references = Array.from({ length: 12 }, (_, index) => [
      reference("stuck", { task_id: `task-${index}` }),
      reference("swift", { task_id: `task-${index}` }),
    ]).flat();
    const read = async (_tenant: string, task_id: string): Promise<RawNews> => ({
      view: JSON.stringify(viewOf({ task_id, seq: 2 })),
      events: eventsOf(1, 2),
    });
    const written: string[] = [];

    // Everything of the other one is written by the time that this one is given up.
    const done = await consume([...whole, ...references], {
      history: homes((tenant) => (tenant === "stuck" ? hanging.db : env.DB)),
      read,
      patience_ms: 2_000,
      written: ({ messages }) => void written.push(...messages.keys()),
      log: (_level, event) => {
        if (event === "history_write_failed") written.push("given up");
      },
    });

    expect(done.acked).toHaveLength(13);
    expect(done.retried).toHaveLength(13);
    expect(written.lastIndexOf("swift")).toBeLessThan(written.indexOf("given up"));
    expect(hanging.asked()).toBe(1);
  });

  it("keeps nobody waiting for the database that knows who is where", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const acked: string[] = [];
    const home = homes(() => env.DB);
    const history: HistoryPorts["history"] = {
      ...home,
      known: (tenant) => (tenant === "known" ? env.DB : null),
      learn: () => promise.then(() => Promise.reject(new Error("DB does not answer"))),
    };

    const done = await consume([newsOf("unheard-of", 1, 1), newsOf("known", 1, 1)], {
      history,
      written: ({ messages }) => {
        acked.push(...messages.keys());
        // Not before this has been written does anything become of that question.
        resolve();
      },
    });

    expect(acked).toEqual(["known"]);
    expect([done.acked, done.retried]).toEqual([["m1"], ["m0"]]);
  });

  it("acknowledges nothing while D1 fails, and waits longer each time", async () => {
    await env.DB.exec("DROP TABLE task_log");
    const outcomes = [];
    for (const attempts of [1, 2, 3, 6, 10]) {
      outcomes.push(await consume([newsOf("failing", 1, 1)], {}, attempts));
    }

    expect(outcomes.flatMap(({ acked }) => acked)).toEqual([]);
    expect(outcomes.flatMap(({ delays }) => delays)).toEqual([10, 20, 40, 300, 300]);
    expect(await readView(env.DB, "failing", "task-1")).toBeNull();
  });
});
