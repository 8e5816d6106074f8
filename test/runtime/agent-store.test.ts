import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { createAgentStore } from "../../src/dispatch/agent-store.ts";
import type { AgentRecord } from "../../src/dispatch/agents.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";

const record = (agent_id: string, more: Partial<AgentRecord> = {}): AgentRecord => ({
  agent_id,
  registration: agentRegistrationSchema.parse({ slots: 3, labels: { region: "eu" } }),
  secret: "whsec_one",
  key_id: "key_one",
  is_draining: false,
  updated_at: "2026-11-22T10:00:00.000Z",
  ...more,
});

const newTenant = () => `t${crypto.randomUUID().slice(0, 8)}`;

describe("registrations in D1", () => {
  it("come back as they were stored, to their own tenant only", async () => {
    const store = createAgentStore(env.DB);
    const tenant = newTenant();

    const isNew = await store.insert(tenant, record("ann"));

    expect(isNew).toBe(true);
    expect(await store.get(tenant, "ann")).toEqual(record("ann"));
    expect(await store.get(newTenant(), "ann")).toBeNull();
  });

  it("can be read also where a pool is named twice, which is refused by now", async () => {
    const store = createAgentStore(env.DB);
    const tenant = newTenant();
    const { registration, ...rest } = record("ann");
    await store.insert(tenant, { ...rest, registration: { ...registration, pools: ["a", "a"] } });

    expect((await store.get(tenant, "ann"))?.registration.pools).toEqual(["a"]);
  });

  it("are inserted once; a change leaves the key and the secret alone", async () => {
    const store = createAgentStore(env.DB);
    const tenant = newTenant();
    await store.insert(tenant, record("ann"));
    const other = record("ann", {
      secret: "whsec_two",
      key_id: null,
      updated_at: "2026-11-22T11:00:00.000Z",
      registration: agentRegistrationSchema.parse({ slots: 9 }),
    });

    const isNew = await store.insert(tenant, other);
    await store.update(tenant, other);

    expect(isNew).toBe(false);
    expect(await store.get(tenant, "ann")).toEqual({
      ...other,
      secret: "whsec_one",
      key_id: "key_one",
    });
  });

  it("remember that an executor drains, whatever else of it changes", async () => {
    const store = createAgentStore(env.DB);
    const tenant = newTenant();
    await store.insert(tenant, record("ann"));

    await store.setDraining(tenant, "ann", true);
    await store.update(tenant, record("ann"));
    const drained = await store.get(tenant, "ann");
    await store.setDraining(tenant, "ann", false);

    expect(drained).toMatchObject({ is_draining: true });
    expect(await store.get(tenant, "ann")).toMatchObject({ is_draining: false });
  });

  it("have their secret replaced only while it is the one that was read", async () => {
    const store = createAgentStore(env.DB);
    const tenant = newTenant();
    await store.insert(tenant, record("ann"));
    const former = { secret: "whsec_one", until: "2026-11-23T10:00:00.000Z" };

    const isReplaced = await store.replaceSecret(tenant, "ann", {
      from: "whsec_one",
      to: "whsec_two",
      former,
    });
    const isLate = await store.replaceSecret(tenant, "ann", { from: "whsec_one", to: "whsec_3" });
    await store.replaceSecret(tenant, "ann", { from: "whsec_two", to: "whsec_renewed" });

    expect([isReplaced, isLate]).toEqual([true, false]);
    expect(await store.get(tenant, "ann")).toEqual(
      record("ann", { secret: "whsec_renewed", former }),
    );
  });

  it("are listed by agent_id, page by page, and are gone when removed", async () => {
    const store = createAgentStore(env.DB);
    const tenant = newTenant();
    for (const agent_id of ["c", "a", "b"]) await store.insert(tenant, record(agent_id));
    const listed = async (after: string, limit: number) =>
      (await store.list(tenant, after, limit)).map(({ agent_id }) => agent_id);

    const pages = [await listed("", 2), await listed("b", 2)];
    await store.remove(tenant, "b");

    expect(pages).toEqual([["a", "b"], ["c"]]);
    expect(await listed("", 10)).toEqual(["a", "c"]);
  });

  it("are found by the primary key, never by a scan", async () => {
    const plans = [
      "SELECT * FROM agent WHERE tenant = 't' AND agent_id = 'a'",
      "SELECT * FROM agent WHERE tenant = 't' AND agent_id > 'a' ORDER BY agent_id LIMIT 5",
    ].map((query) => env.DB.prepare(`EXPLAIN QUERY PLAN ${query}`).all<{ detail: string }>());

    for (const { results } of await Promise.all(plans)) {
      expect(results.map(({ detail }) => detail).join()).toMatch(/^SEARCH agent USING PRIMARY KEY/);
    }
  });
});
