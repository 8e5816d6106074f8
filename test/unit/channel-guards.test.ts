import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { refuse } from "../../src/lib/result.ts";
import { brought, connection, ended } from "./channel-fixture.ts";

/* What an executor's connection takes from its client: src/rest/channel/{agent-channel,refused-frame}.ts. */

/** Lets everything that was begun go on. */
const settle = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the limit of frames", () => {
  it("refuses a frame, and a ready, above it by their ids, and the socket stays open", async () => {
    const drawn: string[] = [];
    const one = connection({
      draw: async (by, operation) => {
        drawn.push(`${by.key_id} ${operation}`);
        return { isAllowed: false, limit: 840, remaining: 0, reset_s: 42 };
      },
    });

    one.say(ended("t1"));
    one.say({ type: "ready", id: "r1", max_tasks: 1 });
    one.say({ type: "pong" });
    await settle();

    const problem = { code: "rate_limited", status: 429, retry_after: 42, operation: "notify" };
    expect(one.said.slice(1)).toEqual([
      { type: "problem", id: "r1", problem: expect.objectContaining(problem) },
      { type: "problem", id: "t1", problem: expect.objectContaining(problem) },
    ]);
    expect(drawn).toEqual(["k1 notify", "k1 notify"]);
    expect(one.claims).toEqual([]);
    expect(one.closes).toEqual([]);
  });
});

describe("a key that is no longer good", () => {
  it("ends the connection at the next frame, which is not carried out", async () => {
    let isGood = true;
    const begun: string[] = [];
    const one = connection({
      isStillGood: async () => isGood,
      end: async (_by, task_id) => {
        begun.push(task_id);
        return refuse({ code: "lease_lost", detail: "over" });
      },
    });
    one.say(ended("t1"));
    await settle();

    isGood = false;
    one.say({ type: "pong" });
    await settle();
    const early = [...one.closes];
    one.say(ended("t2"));
    await settle();

    expect(early).toEqual([]);
    expect(begun).toEqual(["t1"]);
    expect(one.closes).toEqual([[1_008, "the key is no longer good"]]);
  });

  it.each([
    { type: "ready", max_tasks: 1 },
    { type: "end", id: "e1" },
  ])("ends it at any frame: %j", async (frame) => {
    const one = connection({ isStillGood: async () => false });

    one.say(frame);
    await settle();

    expect(one.types()).toEqual(["welcome"]);
    expect(one.claims).toEqual([]);
    expect(one.closes).toEqual([[1_008, "the key is no longer good"]]);
  });

  it("is handed no task: what was claimed goes back", async () => {
    let isGood = true;
    const one = connection({ isStillGood: async () => isGood });
    one.say({ type: "ready", max_tasks: 2 });
    await settle();

    isGood = false;
    one.claims[0]?.answer(brought("t1"));
    await settle();

    expect(one.types()).toEqual(["welcome"]);
    expect(one.declined).toEqual([["t1", "tok-1", "the executor's key is no longer good"]]);
    expect(one.closes).toEqual([[1_008, "the key is no longer good"]]);
    expect(one.claims).toHaveLength(1);
  });
});

describe("malformed frames", () => {
  const malformed = { type: "end", id: "m1", secret: "hunter2" };

  it("are requests too: each draws on the budget, and is refused above it", async () => {
    const drawn: string[] = [];
    const one = connection({
      draw: async (_by, operation) => {
        drawn.push(operation);
        const isAllowed = drawn.length === 1;
        return { isAllowed, limit: 840, remaining: 0, reset_s: 42 };
      },
    });

    one.say(malformed);
    one.say({ ...malformed, id: "m2" });
    await settle();

    expect(drawn).toEqual(["notify", "notify"]);
    expect(one.said.slice(1)).toMatchObject([
      { type: "problem", id: "m1", problem: { code: "validation_failed" } },
      { type: "problem", id: "m2", problem: { code: "rate_limited" } },
    ]);
  });

  it("end the connection after fifty", async () => {
    const one = connection();

    for (let frame = 0; frame < 50; frame += 1) one.say(malformed);
    await settle();
    const early = [...one.closes];
    one.say(malformed);
    await settle();

    expect(early).toEqual([]);
    expect(one.said).toHaveLength(51);
    expect(one.closes).toEqual([[1_008, "too many malformed frames"]]);
  });

  it("leave a record and a line each that name places and no value", async () => {
    const one = connection();

    one.say(malformed);
    await settle();

    expect(one.lines).toEqual(["validation_refused"]);
    expect(one.noted).toMatchObject([
      {
        outcome: "refused",
        route: "channel:connect_agent",
        operation: "connect_agent",
        request_id: "r1",
        tenant: "acme",
        key_id: "k1",
        code: "validation_failed",
        fields: expect.arrayContaining(["/type", "/id"]),
        unknown_fields: 1,
        errors: expect.arrayContaining([{ pointer: "/task_id", code: "invalid_type" }]),
      },
    ]);
    expect(JSON.stringify(one.noted)).not.toMatch(/hunter2|secret/);
  });
});

describe("a connection that is old", () => {
  it("is closed at once when its client sends more, though something is unanswered all the time", async () => {
    const begun: string[] = [];
    const one = connection({
      end: (_by, task_id) => {
        begun.push(task_id);
        return new Promise(() => {});
      },
    });
    for (let turn = 0; turn < 40; turn += 1) {
      one.wait(15_000);
      one.say({ type: "pong" });
    }
    one.say(ended("t1"));
    await settle();
    one.wait(15_000);

    one.say(ended("t2"));
    await settle();

    expect(begun).toEqual(["t1"]);
    expect(one.closes).toEqual([[1_012, "connect again"]]);
  });
});
