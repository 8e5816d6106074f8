import { describe, expect, it } from "vitest";

import { writeHeld } from "../../src/task/task-store.ts";
import { notificationOf } from "../task-life.ts";
import { newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

async function live(subject: Subject, between: () => Promise<void>): Promise<void> {
  const steps = [
    () => subject.submit({ heartbeat_timeout: 600 }),
    () => subject.assign(),
    () => subject.notify("task_started"),
    () => subject.beat(subject.token, { checkpoint: { page: 1 }, usage: { tokens: 40 } }),
    () => subject.order("request_update"),
    () => subject.notify("task_progress", { progress_percentage: 30 }, { sequence: 2 }),
    () => subject.notify("task_progress", { progress_percentage: 10 }, { sequence: 1 }),
    () => subject.notify("task_escalated"),
    () =>
      subject.stub.resolve("esc_1_task-1", JSON.stringify({ decision: "resume", answer: "A" }), {
        kind: "operator",
        id: "op",
      }),
    () => subject.assign(2, "bob"),
    () => subject.notify("task_started", {}, { agent_id: "bob" }),
    () => subject.notify("task_completed", {}, { agent_id: "bob" }),
    () => subject.end("success", { agent_id: "bob" }),
  ];
  for (const step of steps) {
    await step();
    await between();
    subject.now += 1_000;
  }
  await subject.pass(120_000);
}

/** What must not depend on crashes: all but the ids that each run draws anew. */
async function trace(subject: Subject): Promise<unknown> {
  const events = await subject.events();
  return events.map(({ seq, type, at, actor, data }) => {
    const { notification_id: _, command_id: __, metrics: ___, ...rest } = data;
    return { seq, type, at, actor, data: rest };
  });
}

describe("a crash", () => {
  it("between any two steps loses nothing and doubles nothing", async () => {
    const calm = await newSubject();
    await live(calm, async () => {});
    const shaken = await newSubject();

    await live(shaken, () => shaken.evict());

    expect(await trace(shaken)).toEqual(await trace(calm));
    expect(await shaken.view()).toMatchObject({
      phase: "ended",
      end_reason: "success",
      attempt: 2,
    });
    expect(new Set(shaken.published())).toEqual(new Set(calm.published()));
  });

  it("after the alarm was set leaves an alarm for every next step", async () => {
    const subject = await newSubject();
    const alarms: (number | null)[] = [];

    await live(subject, async () => {
      await subject.evict();
      alarms.push(await subject.alarm());
    });

    expect(alarms).not.toContain(null);
  });

  it("while the endpoints are being told finds the alarm for the end phases set", async () => {
    const subject = await newSubject();
    await subject.execute({ heartbeat_timeout: 86_400, stall_timeout: 86_400, timeout: 86_400 });
    // History has all of it by then, and nothing else is due for hours.
    await subject.pass(90_000);
    const quiet = await subject.alarm();
    let [isTold, isHanging] = [false, true];
    subject.neighbours.publish = async () => {
      isTold = true;
      while (isHanging) await scheduler.wait(5);
    };

    const hanging = subject.end("success");
    await expect.poll(() => isTold).toBe(true);
    const alarm = await subject.alarm();
    isHanging = false;
    await hanging;

    expect(quiet).toBeGreaterThan(subject.now + 3_600_000);
    expect(alarm).toBeLessThanOrEqual(subject.now + 1_000);
  });
});

describe("a held notification whose turn had come when the object crashed", () => {
  it("is applied by the next alarm", async () => {
    const subject = await newSubject();
    await subject.execute();
    const notification = notificationOf("task_progress", {}, { sequence: 1 });
    await subject.inside((_instance, { storage }) => {
      writeHeld(storage.sql, { sequence: 1, attempt: 1, held_at: subject.now, notification });
    });
    await subject.evict();

    await subject.pass(20_000);

    expect((await subject.view()).progress_percentage).toBe(50);
  });
});
