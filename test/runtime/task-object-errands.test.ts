import { describe, expect, it } from "vitest";

import { RETENTION_MS, START, accepted, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

/** Fails so many times, then works. */
function failing(times: number): () => Promise<void> | undefined {
  let left = times;
  return () => {
    left -= 1;
    return left >= 0 ? Promise.reject(new Error("unreachable")) : undefined;
  };
}

const dense = (seqs: number[]) => seqs.map((_, index) => index + 1);

/** Seqs that reached history, `whole` messages only. */
const recorded = (subject: Subject) =>
  subject.neighbours.recorded.flatMap((message) =>
    message.form === "whole" ? message.events.map(({ seq }) => seq) : [],
  );

describe("the outbox", () => {
  it("tells endpoints and history every event once, in order, when nothing fails", async () => {
    const subject = await newSubject();

    await subject.execute();
    await subject.pass(1_000);
    accepted(await subject.order("request_update"));
    accepted(await subject.notify("task_progress"));
    accepted(await subject.end("success"));
    await subject.pass(1_000);

    const seqs = (await subject.events()).map(({ seq }) => seq);
    expect(subject.published()).toEqual(seqs);
    expect(recorded(subject)).toEqual(seqs);
  });

  it.each(["publish", "record"] as const)(
    "repeats from its cursor, in order, what %s did not take",
    async (port) => {
      const subject = await newSubject();
      subject.neighbours[port] = failing(2);

      await subject.execute();
      await subject.pass(10_000);

      const taken = port === "publish" ? subject.published() : recorded(subject);
      expect(taken).toEqual(dense(taken));
      expect(taken).toHaveLength((await subject.events()).length);
      expect(subject.neighbours.logged.filter((line) => line === "flush_failed")).toHaveLength(2);
    },
  );

  it.each(["publish", "record"] as const)(
    "goes on without %s, however long that fails",
    async (port) => {
      const subject = await newSubject();
      subject.neighbours[port] = failing(1_000);

      await subject.execute();
      accepted(await subject.notify("task_completed"));
      accepted(await subject.end("success"));
      await subject.pass(10_000);

      const taken = port === "publish" ? recorded(subject) : subject.published();
      expect(new Set(taken)).toEqual(new Set((await subject.events()).map(({ seq }) => seq)));
      expect(taken).toHaveLength(new Set(taken).size);
    },
  );

  it("sends after a crash what was written and not sent", async () => {
    const subject = await newSubject();
    subject.neighbours.publish = failing(1);
    accepted(await subject.submit());
    await subject.pass(600);
    await subject.evict();

    await subject.pass(20_000);

    expect(subject.published()).toEqual([1, 2]);
  });

  it("repeats more slowly the longer it fails", async () => {
    const subject = await newSubject();
    let tries = 0;
    subject.neighbours.publish = () => {
      tries += 1;
      return Promise.reject(new Error("unreachable"));
    };
    accepted(await subject.submit());

    await subject.pass(10 * 60_000);

    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(25);
  });

  it("does not keep the executor from going on", async () => {
    const subject = await newSubject();
    subject.neighbours.publish = failing(1_000);
    subject.neighbours.record = failing(1_000);

    await subject.execute();
    accepted(await subject.notify("task_completed"));
    accepted(await subject.end("success"));
    await subject.pass(1_000);

    expect(await subject.view()).toMatchObject({ phase: "ended", end_reason: "success" });
  });
});

describe("the pool", () => {
  it("is told again when it could not be reached", async () => {
    const subject = await newSubject();
    subject.neighbours.announce = failing(1);

    accepted(await subject.submit());
    await subject.pass(2_000);

    expect(subject.neighbours.announced).toMatchObject([{ attempt: 1 }]);
  });

  it("is told again that a slot is free when it could not be reached", async () => {
    const subject = await newSubject();
    await subject.execute();
    subject.neighbours.release = failing(1);

    accepted(await subject.notify("task_failed"));
    await subject.pass(5_000);

    expect(subject.neighbours.released).toEqual([1]);
  });

  it("is reminded of a task that waits, ever more seldom, also when nobody remembers", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());
    const times: number[] = [];
    subject.neighbours.announce = () => {
      times.push((subject.now - START) / 1_000);
      return undefined;
    };

    for (let turn = 0; turn < 12 && (times.at(-1) ?? 0) < 3_000; turn += 1) {
      await subject.evict();
      const due = (await subject.alarm()) ?? 0;
      subject.now = Math.max(subject.now, due);
      await subject.ring();
    }

    expect(times.length).toBeLessThanOrEqual(11);
    expect(times.at(-1)).toBeGreaterThan(1_800);
  });

  it("hears of a new priority at once", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());

    accepted(await subject.order("set_priority"));

    expect(subject.neighbours.announced.map(({ priority }) => priority)).toEqual([
      "normal",
      "high",
    ]);
  });
});

describe("history", () => {
  async function endedOne(): Promise<Subject> {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.end("success"));
    await subject.pass(1_000);
    return subject;
  }

  const overAt = async (subject: Subject) =>
    Date.parse((await subject.view()).ended_at ?? "") + RETENTION_MS;

  it("is asked once, a minute after the end, and then no more until the retention is over", async () => {
    const subject = await endedOne();
    let asked = 0;
    subject.neighbours.isRecorded = async () => {
      asked += 1;
      return true;
    };

    await subject.pass(3_600_000);

    expect(asked).toBe(1);
    expect(await subject.alarm()).toBe(await overAt(subject));
  });

  it("is told everything again until it has it, also after crashes, ever more seldom", async () => {
    const subject = await endedOne();
    let asked = 0;
    subject.neighbours.isRecorded = async () => {
      asked += 1;
      return asked > 4;
    };

    const over_at = await overAt(subject);
    for (let turn = 0; turn < 20 && (await subject.alarm()) !== over_at; turn += 1) {
      await subject.evict();
      subject.now = Math.max(subject.now, (await subject.alarm()) ?? 0);
      await subject.ring();
    }

    const again = subject.neighbours.recorded.filter(({ form }) => form === "reference");
    expect(again).toHaveLength(4);
    expect(subject.now - START).toBeGreaterThan(900_000);
    expect(await subject.alarm()).toBe(over_at);
  });

  it("that cannot be asked is not asked any faster", async () => {
    const subject = await endedOne();
    let asked = 0;
    subject.neighbours.isRecorded = () => {
      asked += 1;
      return Promise.reject(new Error("D1 is away"));
    };

    await subject.pass(3_600_000);

    expect(asked).toBeLessThan(10);
    expect(await subject.alarm()).not.toBeNull();
  });
});
