import { describe, expect, it } from "vitest";

import type { AgentRecord } from "../../src/dispatch/agents.ts";
import { createDispatcher } from "../../src/dispatch/dispatcher.ts";
import type { Assign, DispatcherParts } from "../../src/dispatch/dispatcher.ts";
import { ok, refuse } from "../../src/lib/result.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";
import type { RefusalCode } from "../../src/protocol/refusal.ts";
import { fakePool, offer } from "./fake-pool.ts";
import type { FakePool } from "./fake-pool.ts";

const BY = { key_id: "k1", tenant: "acme", scopes: ["execute"] as const, isBootstrap: false };
const LEASE = { token: "lease", attempt: 1, expires_at: "2026-11-22T10:00:00Z" };

const record: AgentRecord = {
  agent_id: "ann",
  registration: agentRegistrationSchema.parse({ slots: 5 }),
  secret: "whsec_secret",
  key_id: "k1",
  is_draining: false,
  updated_at: "",
};

const no = (code: RefusalCode) => refuse({ code, detail: code });
const assigned: Assign = async (_tenant, task_id) =>
  ok({
    task: JSON.stringify({ task_id }),
    lease: LEASE,
    deadline_at: 0,
    budget_ends_at: null,
    trace_id: "",
  });

function dispatcher(pool: FakePool, more: Partial<DispatcherParts> = {}) {
  const log: string[] = [];
  const made = createDispatcher({
    now: () => 0,
    newId: () => "c1",
    log: (_level, event) => log.push(event),
    pool: () => pool,
    claimant: async () => ok(record),
    assign: assigned,
    ...more,
  });
  return { ...made, log };
}

const claim = (max_tasks = 5, wait_seconds = 20) => ({
  schema_version: "2.0",
  max_tasks,
  wait_seconds,
});
function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
const with2 = () => fakePool({ answer: () => ({ known: true, offers: [offer("a"), offer("b")] }) });

describe("a claim", () => {
  it("answers with the tasks that their objects assigned, parsed, each with its lease", async () => {
    const asked: unknown[] = [];
    const pool = with2();
    const { claim: ask } = dispatcher(pool, {
      assign: (...parameters) => {
        asked.push(parameters);
        return assigned(...parameters);
      },
    });

    expect(await ask(BY, "ann", claim())).toEqual({
      ok: true,
      value: {
        tasks: [
          { task: { task_id: "a" }, lease: LEASE },
          { task: { task_id: "b" }, lease: LEASE },
        ],
      },
    });
    expect(asked[0]).toEqual(["acme", "a", { agent_id: "ann", attempt: 1, decision: "{}" }]);
    expect(pool.calls).toMatchObject([["claim", { max_tasks: 5, wait_ms: 20_000 }]]);
  });

  it("leaves out what its task refuses, and frees the slot", async () => {
    const pool = with2();
    const { claim: ask, log } = dispatcher(pool, {
      assign: async (...parameters) =>
        parameters[1] === "a" ? no("task_ended") : assigned(...parameters),
    });

    const answer = await ask(BY, "ann", claim());

    expect(answer).toMatchObject({ ok: true, value: { tasks: [{ task: { task_id: "b" } }] } });
    expect(pool.calls.slice(1)).toEqual([["release", "a", 1, "ann"]]);
    expect(log).toEqual(["offer_refused"]);
  });

  it("goes on waiting for the rest of its time when all that it was offered had ended", async () => {
    let now = 0;
    let round = 0;
    const pool = fakePool({
      answer: () => {
        now += 5_000;
        round += 1;
        return { known: true, offers: [offer(round < 3 ? "over" : "fresh")] };
      },
    });
    const { claim: ask } = dispatcher(pool, {
      now: () => now,
      assign: async (...parameters) =>
        parameters[1] === "over" ? no("task_ended") : assigned(...parameters),
    });

    expect(await ask(BY, "ann", claim(1, 20))).toMatchObject({
      value: { tasks: [{ task: { task_id: "fresh" } }] },
    });
    const waits = pool.calls.filter(([name]) => name === "claim");
    expect(waits).toMatchObject([
      ["claim", { wait_ms: 20_000 }],
      ["claim", { wait_ms: 15_000 }],
      ["claim", { wait_ms: 10_000 }],
    ]);
    round = 0;
    expect(await ask(BY, "ann", claim(1, 5))).toMatchObject({ value: { tasks: [] } });
  });

  it("keeps the reservation of a task that could not be asked", async () => {
    const pool = with2();
    const { claim: ask, log } = dispatcher(pool, {
      assign: async (...parameters) => {
        if (parameters[1] === "a") throw new Error("unreachable");
        return assigned(...parameters);
      },
    });

    const answer = await ask(BY, "ann", claim());

    expect(answer).toMatchObject({ ok: true, value: { tasks: [{ task: { task_id: "b" } }] } });
    expect([pool.calls.length, log]).toEqual([1, ["offer_not_assigned"]]);
  });

  it("ends its waits when nobody waits for it any more, and gives back what was reserved", async () => {
    const later = Promise.withResolvers<void>();
    const pool = fakePool({
      answer: async () => {
        await later.promise;
        return { known: true, offers: [offer("a")] };
      },
    });
    const { claim: ask } = dispatcher(pool, {
      assign: () => Promise.reject(new Error("must not be asked")),
    });
    const { signal, abort } = abortable();

    const asking = ask(BY, "ann", claim(), { signal });
    await Promise.resolve();
    abort();
    later.resolve();

    expect(await asking).toEqual(ok({ tasks: [] }));
    expect(pool.calls.slice(1)).toEqual([
      ["stopWaiting", "c1"],
      ["giveBack", "a", 1, "ann"],
    ]);
  });

  it("tells the pool which slot of the executor is free", async () => {
    const pool = fakePool();
    const { claim: ask } = dispatcher(pool);
    const releasing = { task_id: "t0", attempt: 2 };

    await ask(BY, "ann", claim(), { releasing });

    expect(pool.calls).toMatchObject([["claim", { releasing }]]);
  });

  it("is refused to who may not claim for the executor, before any pool is asked", async () => {
    const pool = fakePool();
    const { claim: ask } = dispatcher(pool, { claimant: async () => no("agent_not_yours") });

    expect(await ask(BY, "ann", claim())).toMatchObject({ refusal: { code: "agent_not_yours" } });
    expect(pool.calls).toEqual([]);
  });

  it("introduces the executor to a pool that does not know it, and asks again", async () => {
    const pool = fakePool({
      answer: () => {
        const known = pool.calls.some(([name]) => name === "register");
        return { known, offers: known ? [offer("a")] : [] };
      },
    });
    const { claim: ask } = dispatcher(pool);

    const answer = await ask(BY, "ann", claim());

    expect(answer).toMatchObject({ value: { tasks: [{ task: { task_id: "a" } }] } });
    expect(pool.calls.map(([name]) => name)).toEqual(["claim", "register", "claim"]);
  });

  it("does not introduce an executor that was removed a moment ago", async () => {
    const pool = fakePool({ answer: () => ({ known: false, offers: [] }) });
    const { claim: ask } = dispatcher(pool, {
      claimant: async (_by, _agent_id, isFresh) => (isFresh ? no("agent_not_found") : ok(record)),
    });

    expect(await ask(BY, "ann", claim())).toMatchObject({ refusal: { code: "agent_not_found" } });
    expect(pool.calls.map(([name]) => name)).toEqual(["claim"]);
  });
});

describe("a message that speaks of a reserved task", () => {
  const message = { tenant: "acme", pool: "default", task_id: "a", agent_id: "sam" };
  const reserved = () => fakePool({ reservation: async () => offer("a") });

  it("becomes the task, its lease and its deadline", async () => {
    const { takeReserved } = dispatcher(reserved());

    expect(await takeReserved(message)).toEqual(
      ok({
        task: JSON.stringify({ task_id: "a" }),
        lease: LEASE,
        deadline_at: 0,
        budget_ends_at: null,
        trace_id: "",
      }),
    );
  });

  it("is nothing when the pool has not reserved the task for it, or not any more", async () => {
    const { takeReserved } = dispatcher(fakePool(), {
      assign: () => Promise.reject(new Error("must not be asked")),
    });

    expect(await takeReserved(message)).toEqual(ok(null));
  });

  it.each(["task_ended", "task_not_found"] as const)("frees the slot after %s", async (code) => {
    const pool = reserved();
    const { takeReserved } = dispatcher(pool, { assign: async () => no(code) });

    expect(await takeReserved(message)).toMatchObject({ refusal: { code } });
    expect(pool.calls).toEqual([["release", "a", 1, "sam"]]);
  });

  it("keeps the slot when a repeated message finds the task at work", async () => {
    const pool = reserved();
    const { takeReserved } = dispatcher(pool, { assign: async () => no("transition_refused") });

    expect(await takeReserved(message)).toMatchObject({ ok: false });
    expect(pool.calls).toEqual([]);
  });
});
