import { describe, expect, it } from "vitest";

import { eventStream } from "../../src/rest/stream.ts";

/* The stream on real sockets of the platform; the far end stands where a task's object does. */

function open() {
  const { 0: near, 1: far } = new WebSocketPair();
  far.accept();
  const closed = new Promise<number>((resolve) => {
    far.addEventListener("close", ({ code }) => resolve(code));
  });
  const response = new Response(eventStream(near, () => 0, { tellWithheld: async () => {} }));
  return { far, closed, response };
}

const eventText = (seq: number): string =>
  JSON.stringify({
    seq,
    event_id: `e${seq}`,
    type: "task_progress",
    at: "2026-11-22T10:00:00.000Z",
    actor: { kind: "executor", id: "a-1" },
    correlation_id: "c",
    data: {},
  });

describe("eventStream in workerd", () => {
  it("passes on what is sent until the far end closes", async () => {
    const { far, response } = open();

    far.send(eventText(1));
    far.send(eventText(2));
    far.close(1_000, "ended");

    const text = await response.text();
    expect(
      text
        .split("\n\n")
        .slice(0, 3)
        .map((block) => block.split("\n")[0]),
    ).toEqual([": open", "id: 1", "id: 2"]);
  });

  it("closes the far end when the client goes away", async () => {
    const { closed, response } = open();
    const reader = response.body?.getReader();
    await reader?.read();

    await reader?.cancel();

    expect(await closed).toBe(1_000);
  });
});
