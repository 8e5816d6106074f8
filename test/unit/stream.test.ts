import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { taskEventSchema } from "../../src/protocol/task-view.ts";
import type { EventSocket } from "../../src/rest/ports.ts";
import { eventStream } from "../../src/rest/stream.ts";
import type { Outflow } from "../../src/rest/withheld.ts";
import { createFakeApp, send, TASK_VIEW } from "./rest-fakes.ts";

/** A socket of which a test holds the other end. */
class FakeSocket implements EventSocket {
  isAccepted = false;
  closures: number[] = [];
  private readonly listeners = new Map<string, ((event: { data: unknown }) => void)[]>();

  accept(): void {
    this.isAccepted = true;
  }
  close(code: number): void {
    this.closures.push(code);
  }
  addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }
  emit(type: string, data?: unknown): void {
    for (const listener of this.listeners.get(type) ?? []) listener({ data });
  }
}

const AT = "2026-11-22T10:00:00.000Z";
const NOW = Date.parse(AT);

const eventOf = (seq: number, more: object = {}) => ({
  seq,
  event_id: `e${seq}`,
  type: "task_progress",
  at: AT,
  actor: { kind: "executor", id: "a-1" },
  correlation_id: "c",
  data: { note: "a\nb" },
  ...more,
});

const eventText = (seq: number, more: object = {}): string => JSON.stringify(eventOf(seq, more));

function open() {
  const socket = new FakeSocket();
  const withheld: unknown[] = [];
  const tellWithheld: Outflow["tellWithheld"] = async (places) => void withheld.push(...places);
  const stream = eventStream(socket, () => NOW, { tellWithheld });
  return { socket, withheld, reader: stream.getReader() };
}

async function readText(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string | null> {
  const { done, value } = await reader.read();
  return done ? null : new TextDecoder().decode(value);
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("eventStream", () => {
  it("opens at once, and gives each event its seq, its type and one line of JSON", async () => {
    const { socket, reader } = open();

    socket.emit("message", eventText(7));

    expect(socket.isAccepted).toBe(true);
    expect(await readText(reader)).toBe(": open\n\n");
    expect(await readText(reader)).toBe(`id: 7\nevent: task_progress\ndata: ${eventText(7)}\n\n`);
  });

  it("keeps a quiet stream alive every 15 s", async () => {
    const { reader } = open();
    await readText(reader);

    vi.advanceTimersByTime(30_000);

    expect(await readText(reader)).toBe(": keep-alive\n\n");
    expect(await readText(reader)).toBe(": keep-alive\n\n");
  });

  it.each(["close", "error"])("ends when the socket says %s", async (type) => {
    const { socket, reader } = open();
    await readText(reader);

    socket.emit(type);
    socket.emit(type);

    expect(await readText(reader)).toBeNull();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("ends after ten minutes, and lets the socket go", async () => {
    const { socket, reader } = open();

    vi.advanceTimersByTime(600_000);

    const texts: (string | null)[] = [];
    for (let text = await readText(reader); text !== null; text = await readText(reader))
      texts.push(text);
    expect(texts).toHaveLength(40);
    expect(socket.closures).toEqual([1_000]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("closes the socket when the client is gone", async () => {
    const { socket, reader } = open();

    await reader.cancel();

    expect(socket.closures).toEqual([1_000]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("cuts off a client that does not read, after a mebibyte", async () => {
    const { socket, reader } = open();
    const large = eventText(1, { data: { text: "x".repeat(400_000) } });

    for (let count = 0; count < 5; count += 1) socket.emit("message", large);

    expect(socket.closures).toEqual([1_000]);
    const texts: string[] = [];
    for (let text = await readText(reader); text !== null; text = await readText(reader))
      texts.push(text);
    expect(texts).toHaveLength(1 + 3);
  });

  it.each([
    "no JSON",
    '{"seq":0,"type":"task_progress"}',
    '{"seq":1,"type":"gossip"}',
    new ArrayBuffer(1),
  ])("ends rather than pass on %s", async (message) => {
    const { socket, reader, withheld } = open();
    await readText(reader);

    socket.emit("message", message);

    expect(await readText(reader)).toBeNull();
    expect(withheld).not.toEqual([]);
  });

  it("puts a notice in the place of an event that breaks its schema, and goes on", async () => {
    const { socket, reader, withheld } = open();
    await readText(reader);

    socket.emit("message", eventText(3, { lease_token: "tok-123" }));
    socket.emit("message", eventText(4));

    const [notice, next] = [await readText(reader), await readText(reader)];
    const [, data = ""] = /^id: 3\nevent: task_progress\ndata: (.*)\n\n$/.exec(notice ?? "") ?? [];
    expect(taskEventSchema.parse(JSON.parse(data)).data).toHaveProperty("notice");
    expect(notice).not.toMatch(/tok-123|lease_token/);
    expect(withheld).toEqual([{ pointer: "/", code: "unrecognized_keys" }]);
    expect(next).toContain("id: 4");
  });
});

describe("GET /v1/tasks/{id}/stream", () => {
  const watching = (view = TASK_VIEW) => {
    const afters: number[] = [];
    const fake = createFakeApp({
      tasks: {
        view: async () => ok(view),
        watch: async (_by, _id, after) => {
          afters.push(after);
          return ok(new FakeSocket());
        },
      },
    });
    return { ...fake, afters };
  };

  it.each([
    ["", {}, 0],
    ["?after=4", {}, 4],
    ["?after=4", { "Last-Event-ID": "9" }, 9],
    ["", { "Last-Event-ID": "9" }, 9],
  ])("resumes with %s and %j after %i", async (query, headers, after) => {
    const { app, afters } = watching();

    const response = await send(app, `/v1/tasks/t1/stream${query}`, { headers });

    expect(response.status).toBe(200);
    expect(response.headers.get("Content-Type")).toBe("text/event-stream");
    expect(response.headers.get("Cache-Control")).toBe("no-cache, no-transform");
    expect(afters).toEqual([after]);
    await response.body?.cancel();
  });

  it("tells EventSource to stop when the task has ended and all was seen", async () => {
    const { app, afters } = watching({ ...TASK_VIEW, phase: "ended", seq: 9 });

    const seen = await send(app, "/v1/tasks/t1/stream", { headers: { "Last-Event-ID": "9" } });
    const unseen = await send(app, "/v1/tasks/t1/stream", { headers: { "Last-Event-ID": "8" } });

    expect(seen.status).toBe(204);
    expect(unseen.status).toBe(200);
    expect(afters).toEqual([8]);
    await unseen.body?.cancel();
  });

  it("opens no socket for HEAD", async () => {
    const { app, calls } = watching();

    const response = await send(app, "/v1/tasks/t1/stream", { method: "HEAD" });

    expect(response.status).toBe(200);
    expect(calls).toEqual(["tasks.view"]);
  });

  it("answers 404 as a problem for a task that does not exist", async () => {
    const { app } = createFakeApp({
      tasks: { watch: async () => refuse({ code: "task_not_found", detail: "no task t1" }) },
    });

    const response = await send(app, "/v1/tasks/t1/stream");

    expect(response.status).toBe(404);
    expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  });
});
