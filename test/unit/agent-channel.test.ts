import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { brought, connection, ended } from "./channel-fixture.ts";

/** Lets everything that was begun go on. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a feed of tasks", () => {
  it("asks for as many as the client is ready for, less those that were sent", async () => {
    const one = connection();

    one.say({ type: "ready", max_tasks: 3 });
    await settle();
    one.claims[0]?.answer(brought("t1", "t2"));
    await settle();

    expect(one.said.at(-1)).toMatchObject({ type: "tasks", tasks: [{}, {}] });
    expect(one.claims.map(({ request }) => request)).toMatchObject([
      { max_tasks: 3, wait_seconds: 25 },
      { max_tasks: 1, wait_seconds: 25 },
    ]);
    one.claims[1]?.answer(brought("t3"));
    await settle();
    expect(one.claims).toHaveLength(2);
  });

  it("ends a wait that asks for another number than the client says now", async () => {
    const one = connection();
    one.say({ type: "ready", max_tasks: 3 });
    await settle();

    one.say({ type: "ready", id: "r2", max_tasks: 0 });
    await settle();
    const isEnded = one.claims[0]?.manner?.signal?.aborted;
    one.claims[0]?.answer(brought());
    await settle();

    expect(isEnded).toBe(true);
    expect(one.claims).toHaveLength(1);
    expect(one.said.at(-1)).toEqual({
      type: "answer",
      id: "r2",
      status: 200,
      body: { max_tasks: 0 },
    });
  });

  it("claims anew, for the freed slot, when an attempt ends while it waits", async () => {
    const receipt = {
      task_id: "t1",
      end_reason: "cancelled",
      completion_status: "cancelled",
    } as const;
    const one = connection({ end: async () => ok({ receipt, isNew: true, ended_attempt: 4 }) });
    one.say({ type: "ready", max_tasks: 1 });
    await settle();

    one.say(ended("t1"));
    await settle();
    one.claims[0]?.answer(brought());
    await settle();

    expect(one.claims[0]?.manner?.signal?.aborted).toBe(true);
    expect(one.claims[1]?.manner).toMatchObject({ releasing: { task_id: "t1", attempt: 4 } });
  });

  it("ends with the connection when the executor may claim no more", async () => {
    const one = connection();
    one.say({ type: "ready", max_tasks: 1 });
    await settle();

    one.claims[0]?.answer(refuse({ code: "agent_not_found", detail: "gone" }));
    await settle();

    expect(one.said.at(-1)).toMatchObject({ type: "problem", id: null });
    expect(one.closes).toEqual([[1_008, "agent_not_found"]]);
    expect(one.claims).toHaveLength(1);
  });

  it("ends with the connection when claiming breaks, and logs why", async () => {
    const one = connection();
    one.say({ type: "ready", max_tasks: 1 });
    await settle();

    one.claims[0]?.fail(new Error("no pool"));
    await settle();

    expect(one.closes).toEqual([[1_011, "something broke; connect again"]]);
    expect(one.lines).toEqual(["channel_claim_failed"]);
  });
});

describe("a client that is gone", () => {
  it("ends the wait, so that nothing is reserved for it", async () => {
    const one = connection();
    one.say({ type: "ready", max_tasks: 1 });
    await settle();

    one.leave();

    expect(one.claims[0]?.manner?.signal?.aborted).toBe(true);
  });

  it.each(["leave", "vanish"] as const)(
    "has the tasks declined at once that were assigned to it (%s)",
    async (how) => {
      const one = connection();
      one.say({ type: "ready", max_tasks: 2 });
      await settle();

      one[how]();
      one.claims[0]?.answer(brought("t1", "t2"));
      await settle();

      const reason = "the executor's connection was gone";
      expect(one.declined).toEqual([
        ["t1", "tok-1", reason],
        ["t2", "tok-1", reason],
      ]);
      expect(one.claims).toHaveLength(1);
    },
  );

  it("is noticed when it answers no ping", () => {
    const one = connection();

    for (let turn = 0; turn < 3; turn += 1) one.wait(15_000);
    const pings = one.types().filter((type) => type === "ping").length;
    one.wait(15_000);

    expect(pings).toBe(3);
    expect(one.closes).toEqual([[1_001, "no sign of life"]]);
  });

  it("is there as long as it answers", () => {
    const one = connection();

    for (let turn = 0; turn < 10; turn += 1) {
      one.wait(15_000);
      one.say({ type: "pong" });
    }

    expect(one.closes).toEqual([]);
  });
});

describe("the end of a connection", () => {
  it("comes after ten minutes, when what was asked is answered", async () => {
    let answer = (): void => {};
    const receipt = {
      task_id: "t1",
      end_reason: "cancelled",
      completion_status: "cancelled",
    } as const;
    const one = connection({
      end: () =>
        new Promise((resolve) => {
          answer = () => resolve(ok({ receipt, isNew: false, ended_attempt: null }));
        }),
    });
    for (let turn = 0; turn < 40; turn += 1) {
      one.wait(15_000);
      one.say({ type: "pong" });
    }
    one.say(ended("t1"));
    await settle();

    one.wait(15_000);
    const early = [...one.closes];
    answer();
    await settle();

    expect(early).toEqual([]);
    expect(one.said.at(-1)).toMatchObject({ type: "answer", id: "t1", status: 200 });
    expect(one.closes).toEqual([[1_012, "connect again"]]);
  });

  it("comes at once for a client that sends more than it waits for", async () => {
    const one = connection({ end: () => new Promise(() => {}) });

    for (let frame = 0; frame < 65; frame += 1) one.say({ ...ended("t1"), id: `f${frame}` });
    await settle();

    expect(one.closes).toEqual([[1_008, "too many frames without an answer"]]);
  });

  it("comes with a line in the log when a frame breaks something", async () => {
    const one = connection({ end: () => Promise.reject(new Error("no object")) });

    one.say(ended("t1"));
    await settle();

    expect(one.closes).toEqual([[1_011, "something broke; connect again"]]);
    expect(one.lines).toEqual(["channel_frame_failed"]);
  });
});

describe("frames", () => {
  it("of one task are carried out in order, those of another do not wait", async () => {
    const begun: string[] = [];
    const waiting: (() => void)[] = [];
    const receipt = {
      task_id: "t1",
      end_reason: "cancelled",
      completion_status: "cancelled",
    } as const;
    const one = connection({
      end: (_by, task_id) => {
        begun.push(task_id);
        return new Promise((resolve) => {
          waiting.push(() => resolve(ok({ receipt, isNew: true, ended_attempt: null })));
        });
      },
    });

    one.say({ ...ended("t1"), id: "a" });
    one.say({ ...ended("t1"), id: "b" });
    one.say({ ...ended("t2"), id: "c" });
    await settle();
    const atOnce = [...begun];
    waiting[0]?.();
    await settle();

    expect(atOnce).toEqual(["t1", "t2"]);
    expect(begun).toEqual(["t1", "t2", "t1"]);
  });
});

describe("what breaks its schema", () => {
  it("is not said: a problem stands in its place, and it is told of", async () => {
    const receipt = { task_id: "t1", end_reason: "boredom", lease_token: "tok-9" } as never;
    const one = connection({ end: async () => ok({ receipt, isNew: true, ended_attempt: null }) });

    one.say(ended("t1"));
    await settle();

    expect(one.said.at(-1)).toMatchObject({
      type: "problem",
      id: "t1",
      problem: { code: "internal_error" },
    });
    expect(JSON.stringify(one.said)).not.toMatch(/boredom|tok-9/);
    expect(one.withheld).toMatchObject([["channel:connect_agent", [{}]]]);
    expect(one.lines).toEqual(["answer_invalid"]);
  });

  it("among tasks keeps no other task from the client", async () => {
    const one = connection();
    const claimed = brought("t1", "t2");
    if (claimed.ok) Object.assign(Object(claimed.value.tasks[0]?.task), { timeout: -1 });
    one.say({ type: "ready", max_tasks: 2 });
    await settle();

    one.claims[0]?.answer(claimed);
    await settle();

    expect(one.said.at(-1)).toMatchObject({ type: "tasks", tasks: [{ task: { task_id: "t2" } }] });
    expect(one.declined).toEqual([["t1", "tok-1", expect.stringMatching(/^withheld/)]]);
  });

  it("among tasks has them given back", async () => {
    const one = connection();
    const claimed = brought("t1");
    if (claimed.ok) Object.assign(Object(claimed.value.tasks[0]?.task), { timeout: -1 });
    one.say({ type: "ready", max_tasks: 1 });
    await settle();

    one.claims[0]?.answer(claimed);
    await settle();

    expect(one.types()).toEqual(["welcome"]);
    expect(one.declined).toEqual([["t1", "tok-1", expect.stringMatching(/^withheld/)]]);
    expect(one.withheld).toEqual([
      ["channel:connect_agent", [{ pointer: "/tasks/0/task/timeout", code: "too_small" }]],
    ]);
  });
});
