import { describe, expect, it } from "vitest";

import { accepted, newSubject } from "./task-world.ts";

/** No clock of a task with these rings within a day of silence. */
const PATIENT = { heartbeat_timeout: 86_400, stall_timeout: 86_400, timeout: 86_400 };

describe("the alarm of a task", () => {
  it("comes within a minute for news whose flush a crash cut off", async () => {
    const subject = await newSubject();
    await subject.execute(PATIENT);
    await subject.pass(20_000);
    let [isTold, isHanging] = [false, true];
    subject.neighbours.publish = async () => {
      isTold = true;
      while (isHanging) await scheduler.wait(5);
    };

    const hanging = subject.notify("task_escalated");
    await expect.poll(() => isTold).toBe(true);
    const alarm = await subject.alarm();
    isHanging = false;
    await hanging;

    expect(alarm).toBeLessThanOrEqual(subject.now + 60_000);
  });

  it("comes again, after a pause, for a task that can't be read", async () => {
    const subject = await newSubject();
    await subject.execute();
    await subject.inside((_instance, { storage }) => {
      storage.sql.exec("UPDATE record SET body = '{}' WHERE id = 1");
    });
    await subject.evict();

    await subject.ring();

    expect(await subject.alarm()).toBeGreaterThan(subject.now);
    expect(subject.neighbours.logged).toContain("task_alarm_failed");
  });
});

describe("an announcement that failed", () => {
  it("is not repeated for a task that was cancelled meanwhile", async () => {
    const subject = await newSubject();
    const failing = Promise.withResolvers<void>();
    subject.neighbours.announce = () => failing.promise;
    const submitting = subject.submit();
    await expect.poll(async () => (await subject.view()).phase).toBe("queued");

    accepted(await subject.order("cancel"));
    failing.reject(new Error("away"));
    await submitting;
    subject.neighbours.announce = () => undefined;
    await subject.pass(120_000);

    expect((await subject.view()).phase).toBe("ended");
    expect(subject.neighbours.announced).toEqual([]);
  });
});
