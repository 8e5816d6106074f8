import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { createAgentStore } from "../../src/dispatch/agent-store.ts";
import { createAgents } from "../../src/dispatch/agents.ts";
import { createDispatcher } from "../../src/dispatch/dispatcher.ts";
import type { PoolItem } from "../../src/dispatch/pool/pool.ts";
import { ok } from "../../src/lib/result.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";
import { sealer } from "../sealer.ts";

/** Registry, pools and claims over real D1 and real pools; only the tasks' side is a function. */
function newInstallation() {
  const tenant = `t${crypto.randomUUID().slice(0, 8)}`;
  const pool = (of: string, name: string) => env.POOL.getByName(`${of}/${name}`);
  const agents = createAgents({
    now: Date.now,
    store: createAgentStore(env.DB),
    pool,
    isSamOn: true,
    newSecret: () => "whsec_secret",
    sealer,
    urlFault: async () => null,
  });
  const dispatcher = createDispatcher({
    now: Date.now,
    newId: () => crypto.randomUUID(),
    log: () => {},
    pool,
    claimant: agents.claimant,
    assign: async (_tenant, task_id, { attempt }) =>
      ok({
        task: JSON.stringify({ task_id }),
        lease: { token: `lease of ${task_id}`, attempt, expires_at: new Date().toISOString() },
        deadline_at: 0,
        budget_ends_at: null,
        trace_id: "",
      }),
  });
  const by = (key_id: string, ...scopes: Principal["scopes"][number][]): Principal => ({
    key_id,
    tenant,
    scopes,
    isBootstrap: false,
  });
  const announce = (name: string, task_id: string, more: Partial<PoolItem> = {}) =>
    pool(tenant, name).announce({
      task_id,
      attempt: 1,
      priority: "normal",
      task_type: "general",
      declined_by: [],
      requires: { capabilities: ["human"] },
      ready_at: Date.now(),
      slot_seconds: 600,
      retry_delay: 30,
      objective: "balanced",
      affinity: [],
      ...more,
    });
  const claim = async (agent_id: string, max_tasks = 1, wait_seconds = 0) => {
    const request = { schema_version: "2.0", max_tasks, wait_seconds };
    const answer = await dispatcher.claim(by("k1", "execute"), agent_id, request);
    if (!answer.ok) throw new Error(answer.refusal.code);
    return answer.value.tasks.map(({ lease }) => lease.token.slice("lease of ".length));
  };
  const register = (agent_id: string, more: object) =>
    agents.put(
      by("k1", "execute"),
      agent_id,
      agentRegistrationSchema.parse({ capabilities: ["human"], ...more }),
    );
  return {
    agents,
    announce,
    by,
    claim,
    dispatcher,
    pool: (name: string) => pool(tenant, name),
    register,
  };
}

describe("executors over their pools", () => {
  it("register, get a task, and get none any more once they are removed", async () => {
    const { agents, announce, by, claim, register } = newInstallation();
    await register("ann", { slots: 2 });
    await announce("default", "t1");

    const got = await claim("ann");
    await agents.remove(by("k1", "execute"), "ann");
    await announce("default", "t2");

    expect(got).toEqual(["t1"]);
    await expect(claim("ann")).rejects.toThrow("agent_not_found");
  });

  it("are closed to a foreign key, and open to every key when an admin registered them", async () => {
    const { agents, by, dispatcher, register } = newInstallation();
    await register("ann", {});
    const shared = agentRegistrationSchema.parse({});
    await agents.put(by("boss", "admin"), "crew", shared);
    const request = { schema_version: "2.0", max_tasks: 1, wait_seconds: 0 };

    const foreign = await dispatcher.claim(by("k2", "execute"), "ann", request);
    const open = await dispatcher.claim(by("k2", "execute"), "crew", request);

    expect(foreign).toMatchObject({ ok: false, refusal: { code: "agent_not_yours" } });
    expect(open).toEqual({ ok: true, value: { tasks: [] } });
  });

  it("are known again to a pool that has forgotten them", async () => {
    const { announce, claim, pool, register } = newInstallation();
    await register("ann", {});
    await pool("default").deregister("ann");
    await announce("default", "t1");

    expect(await claim("ann")).toEqual(["t1"]);
  });

  it("claim from several pools without taking more than they asked for", async () => {
    const { agents, announce, claim, by, register } = newInstallation();
    await register("ann", { slots: 9, pools: ["a", "b", "c"] });
    for (const name of ["a", "b", "c"]) {
      await announce(name, `${name}1`);
      await announce(name, `${name}2`);
    }

    const first = await claim("ann", 3);
    const rest = await claim("ann", 10);

    expect(first).toHaveLength(3);
    expect([...first, ...rest].toSorted()).toEqual(["a1", "a2", "b1", "b2", "c1", "c2"]);
    expect(await agents.get(by("k1").tenant, "ann")).toMatchObject({
      value: { slots_in_use: 6, state: "online" },
    });
  });

  it("wait on all their pools at once and wake on the first task", async () => {
    const { announce, claim, pool, register } = newInstallation();
    await register("ann", { pools: ["a", "b", "c"] });
    await announce("c", "probe", { requires: { agent_id: "nobody" } });

    const waiting = claim("ann", 1, 20);
    for (let turn = 0; turn < 500; turn += 1) {
      const explained = await pool("c").explain("probe");
      if (explained?.candidates.some(({ reasons }) => reasons.includes("waits for a task"))) break;
    }
    await announce("c", "c1");

    expect(await waiting).toEqual(["c1"]);
    for (const name of ["a", "b"]) {
      await announce(name, "probe", { requires: { agent_id: "nobody" } });
      const explained = await pool(name).explain("probe");
      const ann = explained?.candidates.find(({ agent_id }) => agent_id === "ann");
      expect(ann?.reasons).not.toContain("waits for a task");
    }
  });

  it("never hold more slots than they have, over all pools and 50 claims at one time", async () => {
    const { announce, claim, pool, register } = newInstallation();
    const names = ["a", "b", "c"];
    await register("ann", { slots: 4, pools: names });
    await Promise.all(
      names.flatMap((name) => [1, 2, 3, 4].map((n) => announce(name, `${name}${n}`))),
    );

    const got = (await Promise.all(Array.from({ length: 50 }, () => claim("ann", 2)))).flat();

    const held = await Promise.all(names.map((name) => pool(name).presence("ann")));
    const inUse = held.flat().reduce((sum, { slots_in_use }) => sum + slots_in_use, 0);
    expect(got.length).toBeLessThanOrEqual(4);
    expect(inUse).toBe(got.length);
    expect((await claim("ann", 4)).length + got.length).toBe(4);
  });
});
