import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { readKey } from "../../src/access/key-store.ts";
import { LimitsObject } from "../../src/access/limits-object.ts";
import { readBacklog } from "../../src/observe/backlog-store.ts";
import { eventually, submit } from "./batuta.ts";
import { keyIn, limitedIsolate, limitsObject, setObjectClock } from "./limited.ts";

/** A request that costs little and is of the class named. */
const STATUS = ["GET", "/v1/agents/nobody"] as const;
const EXECUTE = ["POST", "/v1/tasks/nothing/commands"] as const;
const ADMIN = ["GET", "/v1/limits"] as const;
const OWN = { total: 14, execute: 1, status: 1, admin: 10 };

/** D1 that can be taken away. */
function fragileDatabase() {
  const database = { isDown: false };
  const DB = new Proxy(env.DB, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        if (database.isDown) throw new Error("D1_ERROR: the database is not there");
        return Reflect.apply(member, target, args);
      };
    },
  });
  return { database, DB };
}

describe("the limit of a key", () => {
  it("lets exactly 300 requests pass that order work, and refuses the next with the headers of the standard", async () => {
    const { key } = await keyIn("exact");
    const { send, drain } = limitedIsolate();
    const first = await send(...EXECUTE, { key });
    const passed = 1 + (await drain(...EXECUTE, key));
    const refused = await send(...EXECUTE, { key });

    expect(first.status).toBe(400);
    expect(first.headers.get("RateLimit-Policy")).toBe('"execute";q=300;w=60');
    expect(first.headers.get("RateLimit")).toMatch(/^"execute";r=299;t=(60|59)$/);
    expect(passed).toBe(300);
    expect(refused.body).toMatchObject({ code: "rate_limited", operation: "execute", limit: 300 });
    expect(refused.headers.get("RateLimit")).toMatch(/^"execute";r=0;t=\d+$/);
    expect(Number(refused.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
  });

  it("gives two keys behind one address budgets of their own", async () => {
    const [one, other] = [await keyIn("two-keys"), await keyIn("two-keys")];
    const { drain } = limitedIsolate();
    const spent = await drain(...ADMIN, one.key);

    expect(spent).toBe(60);
    expect(await drain(...ADMIN, other.key)).toBe(60);
  });

  it("leaves execute usable while status is flooded", async () => {
    const { key } = await keyIn("flooded");
    const { send, drain } = limitedIsolate();
    const passed = await drain(...STATUS, key);
    const flood = await Promise.all(Array.from({ length: 100 }, () => send(...STATUS, { key })));
    const submitted = await send("POST", "/v1/tasks", {
      key,
      body: { task_type: "research", description: "ordered during a flood" },
    });

    expect(passed).toBe(720);
    expect(new Set(flood.map(({ status }) => status))).toEqual(new Set([429]));
    expect(submitted.status).toBe(202);
    expect(submitted.headers.get("RateLimit")).toContain('"execute";r=299');
    expect((await send(...ADMIN, { key })).status).toBe(200);
  });

  it("holds over several isolates, which together let no more pass", async () => {
    const { key } = await keyIn("isolates");
    const isolates = [limitedIsolate(), limitedIsolate(), limitedIsolate()];
    let passed = 0;
    for (const { send } of [...isolates, ...isolates, ...isolates]) {
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => send(...EXECUTE, { key })),
      );
      passed += answers.filter(({ status }) => status !== 429).length;
    }

    expect(passed).toBe(300);
  });

  it("outlives the object's memory, by what is stored and what isolates know", async () => {
    const { key } = await keyIn("evicted");
    const { send, drain } = limitedIsolate();
    await Promise.all(Array.from({ length: 200 }, () => send(...EXECUTE, { key })));
    await evictDurableObject(limitsObject("evicted"));
    const inNewIsolate = await limitedIsolate().drain(...EXECUTE, key);

    expect(inNewIsolate).toBe(100);
    expect(await drain(...EXECUTE, key)).toBe(0);
  });

  it("is counted over the executors' WebSocket too, whose frames are refused and whose socket stays open", async () => {
    const { key, key_id } = await keyIn("channel");
    const { send } = limitedIsolate();
    await send("PUT", "/v1/agents/channel-agent", { key, body: { capabilities: ["x"] } });
    const set = await send("PUT", `/v1/limits/keys/${key_id}`, { key, body: { limits: OWN } });
    const client = await limitedIsolate().connect("channel-agent", key);
    const beat = (id: string) => ({ type: "heartbeat", id, task_id: "t", lease_token: "none" });
    for (const id of ["f1", "f2", "f3"]) client.say(beat(id));
    const codes: string[] = [];
    for (let turn = 0; turn < 3; turn += 1) codes.push((await client.hear("problem")).problem.code);

    // Three requests of the class: the registration, the connection, and one frame, which no lease allows.
    expect(set.status).toBe(200);
    expect(codes).toEqual(["task_not_found", "rate_limited", "rate_limited"]);
    expect(client.closed).toBe(null);
  });
});

describe("limits that are changed while it runs", () => {
  it("are in force within five seconds in isolates that know the old ones", async () => {
    const { key } = await keyIn("changed");
    const { send, drain, limits, setClock } = limitedIsolate();
    await send(...EXECUTE, { key });
    const patched = await send("PATCH", "/v1/limits", {
      key,
      body: { limits: { execute: 5 }, auto: false },
    });
    setClock(() => Date.now() + 5_000);
    const left = await drain(...EXECUTE, key);
    const shown = await limits(key);
    const reset = await send("PATCH", "/v1/limits", { key, body: { limits: { execute: null } } });

    expect(patched.body).toMatchObject({ limits: { execute: 5 }, auto: false });
    expect(left).toBe(4);
    expect(shown.effective).toEqual({ execute: 5, notify: 1_135, status: 720, admin: 60 });
    expect(shown.changes.map(({ kind }) => kind)).toEqual(["auto", "limits"]);
    expect(shown.usage[0]).toMatchObject({ taken: { execute: 5 }, refused: expect.any(Number) });
    expect(reset.body).toMatchObject({ limits: { execute: 300 } });
  });

  it("can be those of one key, which must exist, and be taken away", async () => {
    const [one, other] = [await keyIn("one-key"), await keyIn("one-key")];
    const { send } = limitedIsolate();
    const path = `/v1/limits/keys/${one.key_id}`;
    const set = await send("PUT", path, { key: other.key, body: { limits: OWN } });
    const unknown = await send("PUT", "/v1/limits/keys/key_none", {
      key: other.key,
      body: { limits: OWN },
    });
    const fresh = limitedIsolate();

    expect(set.body).toEqual({ key_id: one.key_id, limits: OWN });
    expect([unknown.status, unknown.body["code"]]).toEqual([404, "key_not_found"]);
    expect(await fresh.drain(...EXECUTE, one.key)).toBe(1);
    expect(await fresh.drain(...EXECUTE, other.key)).toBe(300);
    expect((await send("DELETE", path, { key: other.key })).status).toBe(204);
    expect((await send("DELETE", path, { key: other.key })).status).toBe(404);
    expect(await readKey(env.DB, { tenant: "another", key_id: one.key_id })).toBeNull();
  });

  it("of a tenant are nobody else's", async () => {
    const [mine, foreign] = [await keyIn("mine"), await keyIn("foreign")];
    const { send, limits } = limitedIsolate();
    await send("PATCH", "/v1/limits", { key: mine.key, body: { limits: { execute: 7 } } });
    const stolen = await send("PUT", `/v1/limits/keys/${mine.key_id}`, {
      key: foreign.key,
      body: { limits: OWN },
    });

    expect((await limits(mine.key)).limits.execute).toBe(7);
    expect((await limits(foreign.key)).limits.execute).toBe(300);
    expect(stolen.status).toBe(404);
  });

  it("are refused with every fault, and nothing changes", async () => {
    const { key } = await keyIn("refused");
    const { send, limits } = limitedIsolate();
    const refused = await send("PATCH", "/v1/limits", { key, body: { limits: { status: 900 } } });

    expect(refused.body).toMatchObject({
      code: "validation_failed",
      errors: [{ pointer: "/limits/status", received: "900" }],
    });
    expect((await limits(key)).changes).toEqual([]);
  });
});

describe("limits while a tenant is in trouble", () => {
  it("fall within a window when answers fail, and rise again when they do no more", async () => {
    const { key } = await keyIn("troubled");
    const { database, DB } = fragileDatabase();
    const { send, limits, setClock } = limitedIsolate({ DB });
    const start = Date.now();
    const clock = async (ms: number) => {
      setClock(() => start + ms);
      await setObjectClock("troubled", () => start + ms);
    };
    await clock(0);
    const before = await limits(key);
    database.isDown = true;
    const failed = await Promise.all(
      Array.from({ length: 30 }, () => send("GET", "/v1/tasks", { key })),
    );
    await clock(10_000);
    await send("GET", "/v1/tasks", { key });
    const fallen = await limits(key);
    database.isDown = false;
    const risen: number[] = [];
    for (let step = 1; step <= 6; step += 1) {
      await clock(10_000 + step * 15_000);
      risen.push((await limits(key)).effective.execute);
    }
    const after = await limits(key);

    expect(before.effective.execute).toBe(300);
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([503]));
    expect(fallen.effective).toEqual({ execute: 150, notify: 840, status: 360, admin: 60 });
    expect(fallen.factor).toMatchObject({ value: 0.5, reason: "errors" });
    expect(risen.at(-1)).toBe(300);
    expect(risen).toEqual(risen.toSorted((a, b) => a - b));
    expect(after.changes.at(-1)).toMatchObject({ kind: "factor", to: { factor: 0.5 }, by: null });
    expect(after.changes[0]).toMatchObject({ to: { factor: 1 }, reason: "recovery" });
  });

  it("see the tasks that wait", async () => {
    const before = await readBacklog(env.DB, "default");
    const task = await submit({ requires: { capabilities: ["nobody-has-this"] } });
    const waiting = await eventually(
      () => readBacklog(env.DB, "default"),
      (found) => found.waiting > before.waiting,
    );

    expect(waiting.waiting).toBe(before.waiting + 1);
    expect(waiting.oldest_created_at).toBe(before.oldest_created_at ?? task.created_at);
    expect(await LimitsObject.connect(env).backlog("default")).toMatchObject({ waiting: 1 });
  });
});
