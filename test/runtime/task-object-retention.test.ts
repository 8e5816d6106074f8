import { describe, expect, it } from "vitest";

import { RETENTION_MS, accepted, codeOf, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

const MINUTE = 60_000;
const DAY_MS = 86_400_000;

async function endedOne(): Promise<Subject> {
  const subject = await newSubject();
  await subject.execute();
  accepted(await subject.end("success"));
  await subject.pass(2 * MINUTE);
  return subject;
}

/** What the object stores, the alarm included. */
function storedIn(subject: Subject) {
  return subject.inside(async (_instance, { storage }) => {
    const tables = storage.sql
      .exec("SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'")
      .toArray();
    return { tables, alarm: await storage.getAlarm() };
  });
}

/** Fires the alarm as the platform does: it says for when it was set. */
async function fire(subject: Subject): Promise<void> {
  const scheduledTime = (await subject.alarm()) ?? 0;
  subject.now = Math.max(subject.now, scheduledTime);
  await subject.inside(async (instance, { storage }) => {
    await storage.deleteAlarm();
    await instance.alarm({ scheduledTime, isRetry: false, retryCount: 0 });
  });
}

describe("an ended task whose retention is over", () => {
  it.each([false, true])("leaves nothing in its object, evicted before: %s", async (isEvicted) => {
    const subject = await endedOne();
    if (isEvicted) await subject.evict();
    await subject.pass(RETENTION_MS - 3 * MINUTE);
    expect((await subject.view()).phase).toBe("ended");

    await subject.pass(2 * MINUTE);

    expect(await storedIn(subject)).toEqual({ tables: [], alarm: null });
    expect(codeOf(await subject.stub.view())).toBe("task_not_found");
    expect(codeOf(await subject.order("cancel"))).toBe("task_not_found");
    await subject.evict();
    expect(codeOf(await subject.stub.report())).toBe("task_not_found");
    expect(await storedIn(subject)).toEqual({ tables: [], alarm: null });
  });

  it("stays where it is as long as history has not got all of it", async () => {
    const subject = await endedOne();
    subject.neighbours.isRecorded = async () => false;
    await subject.pass(RETENTION_MS);
    const { recorded } = subject.neighbours;

    expect((await subject.view()).phase).toBe("ended");
    expect(recorded.at(-1)).toMatchObject({ form: "reference", rebuild: true });

    subject.neighbours.isRecorded = async () => true;
    await subject.pass(RETENTION_MS);

    expect(codeOf(await subject.stub.view())).toBe("task_not_found");
  });

  it("stays as long as history cannot be asked", async () => {
    const subject = await endedOne();
    subject.neighbours.isRecorded = () => Promise.reject(new Error("D1 is away"));

    await subject.pass(RETENTION_MS + 30 * MINUTE);

    expect((await subject.view()).phase).toBe("ended");
    expect(await subject.alarm()).not.toBeNull();
  });

  it("tells endpoints nothing again that they were told long ago", async () => {
    const subject = await endedOne();
    await subject.evict();
    const before = subject.published().length;

    await fire(subject);

    expect(codeOf(await subject.stub.view())).toBe("task_not_found");
    expect(subject.published()).toHaveLength(before);
  });

  it.each([1, 14, 30])(
    "tells nothing again when the retention was made %i days while it slept",
    async (days) => {
      const subject = await endedOne();
      subject.neighbours.retentionMs = days * DAY_MS;
      await subject.evict();
      const before = subject.published().length;

      await fire(subject);

      expect(subject.published()).toHaveLength(before);
      expect(codeOf(await subject.stub.view())).toBe(days < 7 ? "task_not_found" : null);
    },
  );

  it("tells nothing again when history could not be asked once, and it was evicted since", async () => {
    const subject = await endedOne();
    await subject.evict();
    const before = subject.published().length;
    subject.neighbours.isRecorded = () => Promise.reject(new Error("D1 is away"));
    await fire(subject);
    expect((await subject.view()).phase).toBe("ended");

    subject.neighbours.isRecorded = async () => true;
    await subject.evict();
    await fire(subject);

    expect(codeOf(await subject.stub.view())).toBe("task_not_found");
    expect(subject.published()).toHaveLength(before);
  });

  it("tells endpoints first what a late alarm finds unsent", async () => {
    const subject = await newSubject();
    await subject.execute();
    subject.neighbours.publish = () => Promise.reject(new Error("no endpoint is there"));
    accepted(await subject.end("success"));
    await subject.pass(2 * MINUTE);
    await subject.evict();
    subject.now += RETENTION_MS;

    await fire(subject);
    expect((await subject.view()).phase).toBe("ended");
    subject.neighbours.publish = () => undefined;
    await subject.pass(RETENTION_MS);

    const types = subject.neighbours.published.flatMap(({ events }) =>
      events.map(({ type }) => type),
    );
    expect(types).toContain("agent_end_task");
    expect(codeOf(await subject.stub.view())).toBe("task_not_found");
  });

  it("stays as long as it owes its batch or its parent a word", async () => {
    const subject = await newSubject();
    subject.neighbours.kin.tellBatch = () => Promise.reject(new Error("the batch is away"));
    accepted(await subject.submit({}, undefined, { batch_id: "batch-1" }));
    await subject.assign();
    accepted(await subject.notify("task_started"));
    accepted(await subject.end("success"));
    await subject.pass(2 * MINUTE);
    await subject.evict();
    subject.now += RETENTION_MS;

    await fire(subject);
    await fire(subject);

    expect((await subject.view()).phase).toBe("ended");
    subject.neighbours.kin.tellBatch = async () => {};
    await subject.evict();
    await subject.pass(RETENTION_MS);
    expect(codeOf(await subject.stub.view())).toBe("task_not_found");
  });

  it("is not created anew by a submission of which history knows that the task has been", async () => {
    const subject = await endedOne();
    const repeated = accepted(await subject.submit({}, undefined, { is_known: true }));
    expect(repeated.isNew).toBe(false);
    await subject.pass(RETENTION_MS);

    expect(codeOf(await subject.submit({}, undefined, { is_known: true }))).toBe("task_not_found");
    expect(await storedIn(subject)).toEqual({ tables: [], alarm: null });
  });

  it("leaves an object that works like a new one", async () => {
    const subject = await endedOne();
    await subject.pass(RETENTION_MS);
    subject.neighbours.published.length = 0;

    await subject.execute();
    await subject.pass(1_000);

    expect((await subject.view()).phase).toBe("executing");
    expect(subject.published()).toContain(2);
  });
});
