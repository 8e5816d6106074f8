import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";

import type { TaskEvent } from "../../src/protocol/task-view.ts";
import { RowMeter } from "./row-meter.ts";
import { accepted, newSubject } from "./task-world.ts";
import type { Subject } from "./task-world.ts";

interface Watcher {
  seqs: number[];
  events: TaskEvent[];
  closed: number | null;
  socket: WebSocket;
}

async function watch(subject: Subject, after = 0): Promise<Watcher> {
  const response = await subject.stub.fetch(`https://task/watch?after=${after}`, {
    headers: { Upgrade: "websocket" },
  });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`no socket but ${response.status}`);
  const watcher: Watcher = { seqs: [], events: [], closed: null, socket };
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(String(data)) as TaskEvent;
    watcher.events.push(event);
    watcher.seqs.push(event.seq);
  });
  socket.addEventListener("close", ({ code }) => {
    watcher.closed = code;
  });
  socket.accept();
  return watcher;
}

const until = (watcher: Watcher, count: number) =>
  expect.poll(() => watcher.seqs).toHaveLength(count);
const untilClosed = (watcher: Watcher) => expect.poll(() => watcher.closed).not.toBeNull();

describe("a watcher", () => {
  it("gets what has happened, then what happens, then is dismissed after the end", async () => {
    const subject = await newSubject();
    accepted(await subject.submit());
    const watcher = await watch(subject);

    await subject.assign();
    accepted(await subject.notify("task_started"));
    accepted(await subject.end("success"));
    await subject.pass(1_000);
    await untilClosed(watcher);

    const events = await subject.events();
    expect(watcher.events).toEqual(events);
    expect(events.at(-1)?.type).toBe("agent_end_task");
    expect(watcher.closed).toBe(1_000);
  });

  it("resumes after the last seq that it has", async () => {
    const subject = await newSubject();
    await subject.execute();
    const watcher = await watch(subject, 3);

    accepted(await subject.notify("task_progress"));
    await until(watcher, 3);

    expect(watcher.seqs).toEqual([4, 5, 6]);
  });

  it("of a task that is over gets the rest and is dismissed at once", async () => {
    const subject = await newSubject();
    await subject.execute();
    accepted(await subject.end("success"));
    await subject.pass(1_000);

    const watcher = await watch(subject, 4);
    await untilClosed(watcher);

    expect(watcher.seqs[0]).toBe(5);
    expect(watcher.events.at(-1)?.type).toBe("agent_end_task");
  });

  it("survives the object's eviction", async () => {
    const subject = await newSubject();
    await subject.execute();
    const watcher = await watch(subject, 5);
    await subject.evict();

    accepted(await subject.notify("task_progress"));
    await until(watcher, 1);

    expect(watcher.seqs).toEqual([6]);
  });

  it("that goes away disturbs nobody else", async () => {
    const subject = await newSubject();
    await subject.execute();
    const [first, second] = [await watch(subject, 5), await watch(subject, 5)];
    first.socket.close(1_000);

    accepted(await subject.notify("task_progress"));
    await until(second, 1);

    expect(second.seqs).toEqual([6]);
  });

  it("more than 250 are refused", async () => {
    const subject = await newSubject();
    await subject.execute();
    for (let count = 0; count < 250; count += 1) await watch(subject, 5);

    const { status, webSocket } = await subject.stub.fetch("https://task/watch?after=0", {
      headers: { Upgrade: "websocket" },
    });

    expect({ status, webSocket }).toEqual({ status: 429, webSocket: null });
  });
});

/** What one report of progress costs its task's object: rows, calls, and how often its event is made into text. */
async function costOfProgress(subject: Subject) {
  const meter = new RowMeter();
  await runInDurableObject(subject.stub, (_, { storage }) => {
    meter.start(storage);
    meter.name(storage, "task");
  });
  meter.forget();
  const stringify = vi.spyOn(JSON, "stringify");
  try {
    accepted(await subject.notify("task_progress"));
    const { rows, messages } = meter.take();
    const { seq } = await subject.view();
    const texts = stringify.mock.calls.filter(
      ([value]) =>
        typeof value === "object" &&
        value !== null &&
        Reflect.get(value, "seq") === seq &&
        Reflect.get(value, "type") === "task_progress",
    );
    return { rows, messages, texts: texts.length };
  } finally {
    stringify.mockRestore();
    meter.stop();
  }
}

describe("200 watchers of one task", () => {
  it("cost its object one broadcast per event: no row more, and one text for all", async () => {
    const [quiet, watched] = [await newSubject(), await newSubject()];
    await quiet.execute();
    await watched.execute();
    const watchers: Watcher[] = [];
    for (let count = 0; count < 200; count += 1) watchers.push(await watch(watched, 5));

    const alone = await costOfProgress(quiet);
    const withWatchers = await costOfProgress(watched);
    await expect.poll(() => watchers.filter(({ seqs }) => seqs.length === 1)).toHaveLength(200);

    expect(Object.values(alone.rows)).not.toEqual([]);
    expect(withWatchers).toEqual({ ...alone, texts: alone.texts + 1 });
    expect(new Set(watchers.flatMap(({ seqs }) => seqs))).toEqual(new Set([6]));
  });
});
