import { afterEach, describe, expect, it } from "vitest";

import { RowMeter } from "./row-meter.ts";
import { accepted, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

const meter = new RowMeter();

afterEach(() => meter.stop());

async function metered(subject: Subject): Promise<void> {
  await subject.inside((_instance, { storage }) => {
    meter.start(storage);
    meter.name(storage, "task");
  });
}

/** Rows that the task's object wrote since the last question: of its log, and settings of its alarm. */
function rows(): { log: number; alarms: number } {
  const written = Object.entries(meter.take().rows);
  const sum = (isCounted: (name: string) => boolean): number =>
    written.filter(([name]) => isCounted(name)).reduce((total, [, count]) => total + count, 0);
  return {
    // A test that fires an alarm clears it first; the object itself never does.
    log: sum((name) => !name.endsWith("Alarm")),
    alarms: sum((name) => name.endsWith("setAlarm")),
  };
}

describe("the rows that a task's own object writes", () => {
  it("are one for each step, and the table with its first row at the submission", async () => {
    const subject = await newSubject();
    await metered(subject);
    const cost: Record<string, { log: number; alarms: number }> = {};
    const step = async (name: string, act: () => Promise<unknown>): Promise<void> => {
      await act();
      cost[name] = rows();
      subject.now += 1_000;
    };

    await step("submit", async () => accepted(await subject.submit()));
    await step("first alarm", () => subject.ring());
    await step("assign", () => subject.assign());
    await step("started", async () => accepted(await subject.notify("task_started")));
    await step("progress", async () => accepted(await subject.notify("task_progress")));
    await step("repeated submission", async () => accepted(await subject.submit()));
    await step("heartbeat", async () => accepted(await subject.beat()));
    await step("second heartbeat", async () => accepted(await subject.beat()));
    await step("completed", async () => accepted(await subject.notify("task_completed")));
    await step("end", async () => accepted(await subject.end("success")));
    await step("repeated end", async () => accepted(await subject.end("success")));
    await step("end phases", () => subject.ring());
    subject.now += 60_000;
    await step("archive check", () => subject.ring());

    const all = Object.values(cost);
    const total = all.reduce((sum, { log, alarms }) => sum + log + alarms, 0);
    expect(cost).toEqual({
      submit: { log: 3, alarms: 1 },
      "first alarm": { log: 0, alarms: 1 },
      assign: { log: 1, alarms: 0 },
      started: { log: 1, alarms: 0 },
      progress: { log: 1, alarms: 0 },
      "repeated submission": { log: 0, alarms: 0 },
      heartbeat: { log: 1, alarms: 0 },
      "second heartbeat": { log: 1, alarms: 0 },
      completed: { log: 1, alarms: 0 },
      end: { log: 1, alarms: 1 },
      "repeated end": { log: 0, alarms: 0 },
      "end phases": { log: 1, alarms: 1 },
      // The one that will empty it.
      "archive check": { log: 0, alarms: 1 },
    });
    expect(total).toBe(16);
  });

  it("reads nothing back of what it sends", async () => {
    const subject = await newSubject();
    await subject.execute();
    const statements: string[] = [];
    await subject.inside((_instance, { storage }) => {
      const { sql } = storage;
      const exec = sql.exec.bind(sql);
      Object.assign(sql, {
        exec: (query: string, ...bindings: SqlStorageValue[]) => {
          statements.push(query);
          return exec(query, ...bindings);
        },
      });
    });
    // It looks once whether something was held back that has its turn now.
    accepted(await subject.notify("task_progress"));
    await subject.ring();
    statements.length = 0;

    subject.now += 1_000;
    accepted(await subject.notify("task_progress"));
    subject.now += 1_000;
    await subject.ring();

    expect(statements.map((text) => text.split(" ", 1)[0])).toEqual(["INSERT"]);
  });

  it("are none for what is refused or only read", async () => {
    const subject = await newSubject();
    await subject.execute();
    await metered(subject);

    await subject.notify("task_started");
    await subject.beat("stale");
    await subject.submit({}, "hash-2");
    await subject.view();
    await subject.events();
    await subject.stub.explain();

    expect(rows()).toEqual({ log: 0, alarms: 0 });
  });

  it("are two for a held notification: kept, and forgotten when its turn comes", async () => {
    const subject = await newSubject();
    await subject.execute();
    await metered(subject);

    accepted(await subject.notify("task_progress", { progress_percentage: 60 }, { sequence: 2 }));
    const held = rows();
    accepted(await subject.notify("task_progress", { progress_percentage: 50 }, { sequence: 1 }));

    expect(held.log).toBe(1);
    expect(rows().log).toBe(3);
  });
});
