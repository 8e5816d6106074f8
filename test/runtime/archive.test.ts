import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { writeArchiveFile } from "../../src/history/archive-store.ts";
import { Past } from "../../src/history/past.ts";
import type { TaskEvent } from "../../src/protocol/task-view.ts";
import { sweepHistory } from "../../src/services-sweep.ts";
import { eventOf } from "../task-news.ts";
import { LATER, WITH, WITHOUT, past, reader, remember, rowsOf, tell } from "./past-tasks.ts";

type Bucket = { get?: () => unknown; put?: (key: string, bytes: Uint8Array) => unknown };

const installed = (ARCHIVE: Bucket) => ({ ...env, ARCHIVE }) as unknown as Env;

describe("an archive that fails", () => {
  const broken = (get: () => unknown, put: () => unknown) => installed({ get, put });
  const fails = () => Promise.reject(new Error("R2 is away"));

  it("loses nothing: what it has not confirmed stays in D1", async () => {
    await remember("unconfirmed", past());

    await sweepHistory(broken(fails, fails), LATER);

    expect(await rowsOf("unconfirmed")).toEqual({
      task: 1,
      task_log: 2,
      escalation: 1,
      cleanup_debt: 0,
      removed_task: 0,
    });
    await sweepHistory(WITH, LATER);
    const get = await reader(WITH, "unconfirmed");
    expect((await get("/v1/tasks/old")).body).toEqual(past().view);
  });

  it("says that it cannot be read, and when to try again", async () => {
    await remember("unreadable", past());
    await sweepHistory(WITH, LATER);
    const get = await reader(broken(fails, fails), "unreadable");

    const { status, body } = await get("/v1/tasks/old");

    expect([status, body["code"], body["retry_after"]]).toEqual([503, "unavailable", 5]);
  });

  it("that has let a file go answers 410: the task is gone, and the file with it", async () => {
    await remember("lifecycle", past());
    await sweepHistory(WITH, LATER);
    const { objects } = await env.TEST_ARCHIVE.list({ prefix: "tasks/lifecycle/" });
    for (const { key } of objects) await env.TEST_ARCHIVE.delete(key);
    const get = await reader(WITH, "lifecycle");

    for (const way of ["", "/events", "/report", "/stream", "/explain"]) {
      const { status, body } = await get(`/v1/tasks/old${way}`);
      expect([way, status, body["code"]]).toEqual([way, 410, "task_gone"]);
      expect(body["detail"]).toContain(`${objects[0]?.key}, which the archive no longer has`);
    }
  });

  it("for a moment does not make a dependent believe that there is no result", async () => {
    await remember("hiccup", past());
    await sweepHistory(WITH, LATER);
    const bucket = { get: fails } as unknown as R2Bucket;
    const get = <Value>(_tenant: string, query: (db: D1Database) => Promise<Value>) =>
      query(env.DB);
    const unlucky = new Past({
      bucket,
      get,
      historyDays: 365,
      removedDays: null,
      now: LATER,
      log: () => {},
    });

    await expect(unlucky.outcome("hiccup", "old")).rejects.toThrow("cannot be read at the moment");
  });

  it("that is bound no more leaves a task that names its file", async () => {
    await remember("unbound", past());
    await sweepHistory(WITH, LATER);
    const get = await reader(WITHOUT, "unbound");

    const { status, body } = await get("/v1/tasks/old");

    expect([status, body["code"]]).toEqual([410, "task_gone"]);
    expect(body["detail"]).toContain("tasks/unbound/2026-11-22/");
  });
});

/** D1 whose method does something else first. */
function d1With(method: string, before: (...args: unknown[]) => unknown): D1Database {
  return new Proxy(env.DB, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (name !== method)
        return (...args: unknown[]): unknown => Reflect.apply(member, target, args);
      return (...args: unknown[]): unknown => {
        const first = before(...args);
        return first instanceof Promise
          ? first.then(() => Reflect.apply(member, target, args))
          : Reflect.apply(member, target, args);
      };
    },
  });
}

describe("two runs at the same time", () => {
  it("destroy nothing, wherever the second one is when the first is through", async () => {
    for (const [tenant, turn] of [
      ["overlap-1", 1],
      ["overlap-2", 2],
      ["overlap-3", 3],
    ] as const) {
      await remember(tenant, past());
      let calls = 0;
      const DB = d1With("batch", async () => {
        calls += 1;
        if (calls === turn) await sweepHistory(WITH, LATER);
      });

      await sweepHistory({ ...WITH, DB }, LATER);

      expect(await rowsOf(tenant)).toMatchObject({ task: 0, task_log: 0, removed_task: 1 });
      const get = await reader(WITH, tenant);
      const log = await get<{ items: unknown[] }>("/v1/tasks/old/events");
      expect([log.status, log.body.items.length]).toEqual([200, 6]);
      expect((await get("/v1/tasks/old/report")).status).toBe(200);
    }
  });

  it("write other tasks into another file, and the same ones into the same", async () => {
    const write = (text: string) =>
      writeArchiveFile(env.TEST_ARCHIVE, "keys", {
        day: "2026-11-22",
        bytes: new TextEncoder().encode(text),
      });

    const [one, other, again] = [await write("one"), await write("other"), await write("one")];

    expect(again).toBe(one);
    expect(other).not.toBe(one);
    expect(one).toMatch(/^tasks\/keys\/2026-11-22\/\w+\.ndjson$/);
  });
});

describe("a task that changes while it is archived", () => {
  it("stays until a later run has read all of it", async () => {
    const { view, events } = past();
    await remember("changed", { view, events });
    let isFirst = true;
    const put = async (key: string, bytes: Uint8Array) => {
      if (isFirst) await tell("changed", { ...view, seq: 7 }, [eventOf(7)]);
      isFirst = false;
      return env.TEST_ARCHIVE.put(key, bytes);
    };

    await sweepHistory(installed({ put }), LATER);
    expect(await rowsOf("changed")).toMatchObject({ task: 1, removed_task: 0 });
    await sweepHistory(WITH, LATER);

    const get = await reader(WITH, "changed");
    const log = await get<{ items: TaskEvent[] }>("/v1/tasks/old/events");
    expect(log.body.items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });
});

describe("what one run asks of D1", () => {
  it("is a few statements for hundreds of tasks", async () => {
    for (let index = 0; index < 120; index += 1) {
      await remember("many", past({ task_id: `t${String(index).padStart(3, "0")}`, result: null }));
    }
    let statements = 0;
    const DB = d1With("prepare", () => {
      statements += 1;
    });

    await sweepHistory({ ...WITH, DB }, LATER);

    expect(await rowsOf("many")).toMatchObject({ task: 0, escalation: 0, removed_task: 120 });
    // Two pages with a group each, of the tenants before it a page each, and the cursors.
    expect(statements).toBeLessThan(60);
  }, 60_000);
});

describe("a removal that is cut off", () => {
  it("between the archive and D1 is done again, into the same file", async () => {
    await remember("cut", past());
    const DB = d1With("prepare", (text) => {
      if (String(text).includes("INSERT INTO removed")) throw new Error("the Worker was stopped");
    });

    await sweepHistory({ ...WITH, DB }, LATER);
    const [written] = (await env.TEST_ARCHIVE.list({ prefix: "tasks/cut/" })).objects;
    expect(await rowsOf("cut")).toMatchObject({ task: 1, task_log: 2, removed_task: 0 });
    await sweepHistory(WITH, LATER);

    const { objects } = await env.TEST_ARCHIVE.list({ prefix: "tasks/cut/" });
    expect(objects.map(({ key }) => key)).toEqual([written?.key]);
    const get = await reader(WITH, "cut");
    expect((await get("/v1/tasks/old")).body).toEqual(past().view);
  });
});
