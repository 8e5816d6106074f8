import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { describe, expect, it } from "vitest";

import { ok, refuse } from "../../src/lib/result.ts";
import { readTrace, type TraceParts } from "../../src/observe/trace/read.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { at, eventOf, T0, viewOf } from "../task-news.ts";
import { createFakeApp, send } from "./rest-fakes.ts";

const DAY_MS = 86_400_000;

const by = (...scopes: Principal["scopes"]): Principal => ({
  key_id: "key_1",
  tenant: "acme",
  scopes,
  isBootstrap: false,
});

function parts(more: Partial<TraceParts> = {}): TraceParts {
  return {
    now: () => T0 + 60_000,
    view: async () => ok(viewOf()),
    events: async () => ok({ items: [eventOf(1), eventOf(2)], next_cursor: null }),
    deliveries: async () => ok({ task_id: "task-1", items: [], next_after: null }),
    keptMs: 7 * DAY_MS,
    ...more,
  };
}

async function missing(more: Partial<TraceParts>, who = by("observe")) {
  const found = await readTrace(parts(more), who, "task-1");
  if (!found.ok) throw new Error(found.refusal.code);
  expect(found.value.is_complete).toBe(found.value.missing.length === 0);
  return found.value.missing;
}

describe("a trace", () => {
  it.each(["task_not_found", "task_gone"] as const)(
    "is refused with %s as the task is",
    async (code) => {
      const view = async () => refuse({ code, detail: "no" });

      expect(await readTrace(parts({ view }), by("observe"), "task-1")).toMatchObject({
        refusal: { code },
      });
    },
  );

  it("is complete where everything could be read", async () => {
    expect(await missing({})).toEqual([]);
  });

  it("says that who may only execute sees no deliveries, and asks nobody for them", async () => {
    const deliveries = async () => {
      throw new Error("asked");
    };

    expect(await missing({ deliveries }, by("execute"))).toEqual([
      "deliveries: this key may not see them",
    ]);
  });

  it("goes without deliveries that cannot be read, and says why", async () => {
    const down = async () => {
      throw new Error("down");
    };
    const refused = async () => refuse({ code: "not_supported" as const, detail: "Too many." });

    expect(await missing({ deliveries: down })).toEqual([
      "deliveries: an endpoint could not be asked",
    ]);
    expect(await missing({ deliveries: refused })).toEqual(["deliveries: Too many."]);
  });

  it("says what endpoints do not remember any more", async () => {
    const now = () => T0 + 8 * DAY_MS;

    expect(await missing({ now })).toEqual([
      `deliveries before ${at(86_400)}: endpoints remember no longer`,
    ]);
  });

  it("reads a long log page by page, and says where it stopped", async () => {
    const asked: number[] = [];
    const events: TraceParts["events"] = async (_by, _id, { after, limit }) => {
      asked.push(after);
      const items = Array.from({ length: limit }, (_, index) => eventOf(after + index + 1));
      return ok({ items, next_cursor: String(after + limit) });
    };

    expect(await missing({ events })).toEqual(["events behind seq 10000"]);
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((page) => page * 1_000));
  });

  it("stops after twenty pages of a log whose events are large, and says where", async () => {
    const events: TraceParts["events"] = async (_by, _id, { after }) =>
      ok({ items: [eventOf(after + 1)], next_cursor: "more" });

    expect(await missing({ events })).toEqual(["events behind seq 20"]);
  });

  it("lets what it has read of a log go before it reads on", async () => {
    setFlagsFromString("--expose-gc");
    const collect: unknown = runInNewContext("gc");
    const read: WeakRef<object>[] = [];
    let held = Infinity;
    const events: TraceParts["events"] = async (_by, _id, { after }) => {
      const results = { text: "x".repeat(1_000), model_id: "m" };
      const data = { data: { intermediate_results: results } };
      const event = eventOf(after + 1, { type: "task_progress", data });
      read.push(new WeakRef(event));
      // A reference that was just made holds until the next turn.
      await new Promise((resolve) => void setTimeout(resolve));
      if (typeof collect === "function") collect();
      held = read.filter((one) => one.deref() !== undefined).length;
      return ok({ items: [event], next_cursor: after < 9 ? "more" : null });
    };

    await missing({ events });

    // The one that is being read, and the one before, which its loop may still name.
    expect(read).toHaveLength(10);
    expect(held).toBeLessThanOrEqual(2);
  });

  it("follows the pages of deliveries to their end", async () => {
    const asked: number[] = [];
    const deliveries: TraceParts["deliveries"] = async (_by, task_id, { after }) => {
      asked.push(after);
      return ok({ task_id, items: [], next_after: after < 3 ? after + 1 : null });
    };

    expect(await missing({ deliveries })).toEqual([]);
    expect(asked).toEqual([0, 1, 2, 3]);
  });

  it("is answered at the task's address", async () => {
    const read = await readTrace(parts(), by("observe"), "task-1");
    const { app } = createFakeApp({ traces: { trace: async () => read } });

    const response = await send(app, "/v1/tasks/task-1/trace", { key: "observe" });

    expect(await response.json()).toMatchObject({
      task_id: "task-1",
      spans: [{ kind: "task" }, { kind: "queue_wait" }],
    });
  });
});
