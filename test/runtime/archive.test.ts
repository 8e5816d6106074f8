import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { sweepHistory } from "../../src/services-sweep.ts";
import { LATER, WITH, WITHOUT, past, reader, remember, rowsOf } from "./past-tasks.ts";

describe("an archive that fails", () => {
  const broken = (get: () => unknown, put: () => unknown) =>
    ({ ...env, ARCHIVE: { get, put } }) as unknown as Env;
  const fails = () => Promise.reject(new Error("R2 is away"));

  it("loses nothing: what it has not confirmed stays in D1", async () => {
    await remember("unconfirmed", past());

    await sweepHistory(broken(fails, fails), LATER);

    expect(await rowsOf("unconfirmed")).toEqual({
      task: 1,
      task_log: 2,
      escalation: 1,
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

  it("that is bound no more leaves a task that names its file", async () => {
    await remember("unbound", past());
    await sweepHistory(WITH, LATER);
    const get = await reader(WITHOUT, "unbound");

    const { status, body } = await get("/v1/tasks/old");

    expect([status, body["code"]]).toEqual([410, "task_gone"]);
    expect(body["detail"]).toContain("tasks/unbound/2026-11-22/");
  });
});

describe("a removal that is cut off", () => {
  it("between the archive and D1 is done again, into the same file", async () => {
    await remember("cut", past());
    const DB = new Proxy(env.DB, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          const isRemoval = name === "prepare" && String(args[0]).includes("INSERT INTO removed");
          if (isRemoval) throw new Error("the Worker was stopped");
          return Reflect.apply(member, target, args);
        };
      },
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
