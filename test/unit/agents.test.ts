import { beforeEach, describe, expect, it } from "vitest";

import { createAgents, poolAgentOf } from "../../src/dispatch/agents.ts";
import type { AgentRecord, Agents } from "../../src/dispatch/agents.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { agentRegistrationSchema, agentViewSchema } from "../../src/protocol/agent.ts";
import { sealer } from "../sealer.ts";
import { memoryStore } from "./agent-memory.ts";
import { fakePool } from "./fake-pool.ts";
import type { FakePool } from "./fake-pool.ts";

const registration = (more: object = {}) => agentRegistrationSchema.parse(more);
const key = (key_id: string, ...scopes: Principal["scopes"][number][]): Principal => ({
  key_id,
  tenant: "acme",
  scopes: scopes.length > 0 ? scopes : ["execute"],
  isBootstrap: false,
});

let now: number;
let records: Map<string, AgentRecord>;
let pools: Map<string, FakePool>;
let reads: number;
let agents: Agents;

function poolNamed(name: string): FakePool {
  const pool = pools.get(name) ?? fakePool();
  pools.set(name, pool);
  return pool;
}

function create(isSamOn: boolean): Agents {
  return createAgents({
    now: () => now,
    store: memoryStore(records, () => (reads += 1)),
    pool: (tenant, pool) => poolNamed(`${tenant}/${pool}`),
    newSecret: () => "whsec_secret",
    sealer,
    urlFault: async (url, ownOrigin) =>
      url.startsWith(ownOrigin ?? "none") ? "must not be ours" : null,
    isSamOn,
  });
}

beforeEach(() => {
  [now, reads] = [1_000_000, 0];
  records = new Map();
  pools = new Map();
  agents = create(true);
});

describe("registering", () => {
  it("answers with the secret the first time only, and tells every pool", async () => {
    const first = await agents.put(key("k1"), "ann", registration({ slots: 2, pools: ["a", "b"] }));
    const second = await agents.put(key("k1"), "ann", registration({ slots: 3, pools: ["b"] }));

    expect(first).toMatchObject({ ok: true, value: { agent_id: "ann", secret: "whsec_secret" } });
    expect(second.ok && second.value).not.toHaveProperty("secret");
    expect(second).toMatchObject({ value: { slots: 3, pools: ["b"], state: "online" } });
    expect(second.ok && agentViewSchema.parse(second.value)).toBeTruthy();
    expect(poolNamed("acme/a").calls.map(([name]) => name)).toEqual(["register", "deregister"]);
    expect(poolNamed("acme/b").calls).toMatchObject([
      ["register", { agent_id: "ann", slots: 2, isBuiltin: false }],
      ["register", { agent_id: "ann", slots: 3 }],
    ]);
  });

  it("keeps the secret sealed, and seals what an earlier version kept in clear", async () => {
    await agents.put(key("k1"), "ann", registration());
    const sealed = records.get("acme/ann");
    if (sealed === undefined) throw new Error("ann was not stored");
    records.set("acme/bob", { ...sealed, agent_id: "bob", secret: "whsec_clear" });

    await agents.put(key("k1"), "bob", registration());

    const renewed = records.get("acme/bob")?.secret ?? "";
    expect(sealed.secret).toMatch(/^sealed\.v1\./);
    expect(await sealer.open(sealed.secret, "agent/acme/ann")).toBe("whsec_secret");
    expect(renewed).toMatch(/^sealed\.v1\./);
    expect(await sealer.open(renewed, "agent/acme/bob")).toBe("whsec_clear");
  });

  it("refuses another key, and lets an admin in without changing whose it is", async () => {
    await agents.put(key("k1"), "ann", registration());

    const foreign = await agents.put(key("k2"), "ann", registration({ slots: 9 }));
    const admin = await agents.put(key("k3", "admin"), "ann", registration({ slots: 5 }));
    const owner = await agents.put(key("k1"), "ann", registration({ slots: 6 }));

    expect(foreign).toMatchObject({ ok: false, refusal: { code: "agent_not_yours" } });
    expect([admin.ok, owner.ok]).toEqual([true, true]);
    expect(records.get("acme/ann")).toMatchObject({ key_id: "k1", registration: { slots: 6 } });
  });

  it("opens what an admin registered to every key of the tenant", async () => {
    await agents.put(key("k1", "admin"), "ann", registration());

    expect((await agents.put(key("k2"), "ann", registration())).ok).toBe(true);
    expect((await agents.claimant(key("k3"), "ann", false)).ok).toBe(true);
  });

  it("judges the loser of two first registrations by the winner's key", async () => {
    const both = await Promise.all([
      agents.put(key("k1"), "ann", registration()),
      agents.put(key("k2"), "ann", registration()),
    ]);

    expect(both.map(({ ok }) => ok)).toEqual([true, false]);
  });

  it("refuses the built-in executor's name", async () => {
    const sam = await agents.put(key("k1", "admin"), "sam", registration());

    expect(sam).toMatchObject({ refusal: { code: "agent_not_yours" } });
    expect([records.size, pools.size]).toEqual([0, 0]);
  });

  it("refuses a url that nothing may be pushed to, and keeps one that it may", async () => {
    const url = "https://batuta.example/hook";

    const ours = await agents.put(
      key("k1"),
      "ann",
      registration({ url }),
      "https://batuta.example",
    );
    const nothing = [records.size, pools.size];
    const theirs = await agents.put(
      key("k1"),
      "ann",
      registration({ url }),
      "https://other.example",
    );

    expect(ours).toMatchObject({
      refusal: {
        code: "endpoint_refused",
        errors: [{ pointer: "/url", code: "endpoint_refused", detail: "must not be ours" }],
      },
    });
    expect(nothing).toEqual([0, 0]);
    expect(theirs).toMatchObject({ ok: true, value: { url } });
  });
});

describe("rotating the secret", () => {
  it("answers with the new one this once, for its own key only", async () => {
    await agents.put(key("k1"), "ann", registration());

    const foreign = await agents.rotateSecret(key("k2"), "ann", 60);
    const own = await agents.rotateSecret(key("k1"), "ann", 60);

    expect(foreign).toMatchObject({ refusal: { code: "agent_not_yours" } });
    expect(own).toMatchObject({ ok: true, value: { agent_id: "ann", secret: "whsec_secret" } });
    expect(await agents.get("acme", "ann")).not.toHaveProperty("value.secret");
    expect(records.get("acme/ann")?.former?.until).toBe("1970-01-01T00:17:40.000Z");
  });

  it("is known at once to who has just asked for the old one", async () => {
    await agents.put(key("k1"), "ann", registration());
    await agents.known("acme", "ann");

    await agents.rotateSecret(key("k1"), "ann", 60);

    expect((await agents.known("acme", "ann"))?.former).toBeDefined();
  });
});

describe("reading", () => {
  it("adds up what the pools say and takes the best of their states", async () => {
    await agents.put(key("k1"), "ann", registration({ pools: ["a", "b"] }));
    poolNamed("acme/a").inUse = 2;
    poolNamed("acme/b").inUse = 1;
    poolNamed("acme/b").presence = async () => [];

    expect(await agents.get("acme", "ann")).toMatchObject({
      ok: true,
      value: {
        state: "online",
        slots_in_use: 2,
        last_seen_at: "1970-01-01T00:00:01.000Z",
        stats: { assigned: 2, released: 1 },
        url: null,
        version: null,
      },
    });
  });

  it("says offline when no pool has heard of it, and nothing to another tenant", async () => {
    await agents.put(key("k1"), "ann", registration());
    poolNamed("acme/default").presence = async () => [];

    expect(await agents.get("acme", "ann")).toMatchObject({
      value: { state: "offline", last_seen_at: null },
    });
    expect(await agents.get("evil", "ann")).toMatchObject({ refusal: { code: "agent_not_found" } });
  });

  it("lists by agent_id in pages, with the built-in executor in its place", async () => {
    for (const agent_id of ["zoe", "ann", "bob"]) {
      await agents.put(key("k1"), agent_id, registration());
    }

    const first = await agents.list("acme", { limit: 3 });
    const second = await agents.list("acme", { limit: 3, cursor: first.next_cursor ?? "" });
    const without = await create(false).list("acme", { limit: 10 });

    expect(first.items.map(({ agent_id }) => agent_id)).toEqual(["ann", "bob", "sam"]);
    expect(second.items.map(({ agent_id }) => agent_id)).toEqual(["zoe"]);
    expect([first.next_cursor, second.next_cursor]).toEqual(["sam", null]);
    expect(without.items).toHaveLength(3);
    for (const item of [...first.items, ...second.items]) agentViewSchema.parse(item);
  });

  it("shows the built-in executor while it is on", async () => {
    expect(await agents.get("acme", "sam")).toMatchObject({ ok: true, value: { slots: 4 } });
    expect(await create(false).get("acme", "sam")).toMatchObject({
      refusal: { code: "agent_not_found" },
    });
  });
});

describe("removing", () => {
  it("takes it from the registry and from its pools, for its own key only", async () => {
    await agents.put(key("k1"), "ann", registration({ pools: ["a", "b"] }));

    const foreign = await agents.remove(key("k2"), "ann");
    const own = await agents.remove(key("k1"), "ann");

    expect(foreign).toMatchObject({ refusal: { code: "agent_not_yours" } });
    expect(own).toEqual({ ok: true, value: null });
    expect(records.size).toBe(0);
    expect(poolNamed("acme/b").calls.at(-1)).toEqual(["deregister", "ann"]);
    expect(await agents.remove(key("k1"), "ann")).toMatchObject({
      refusal: { code: "agent_not_found" },
    });
    expect(await agents.remove(key("k1"), "sam")).toMatchObject({
      refusal: { code: "agent_not_yours" },
    });
  });
});

describe("claiming", () => {
  it("is for the registering key or an admin", async () => {
    await agents.put(key("k1"), "ann", registration());

    const answers = await Promise.all([
      agents.claimant(key("k1"), "ann", false),
      agents.claimant(key("k2", "admin"), "ann", false),
      agents.claimant(key("k2"), "ann", false),
      agents.claimant(key("k1"), "bob", false),
      agents.claimant(key("k1", "admin"), "sam", false),
    ]);

    expect(answers.map((answer) => (answer.ok ? "ok" : answer.refusal.code))).toEqual([
      "ok",
      "ok",
      "agent_not_yours",
      "agent_not_found",
      "agent_not_yours",
    ]);
  });

  it("reads the registry once in five seconds, but a fresh answer always and own changes at once", async () => {
    await agents.put(key("k1"), "ann", registration());
    await agents.claimant(key("k1"), "ann", false);
    const base = reads;

    now += 4_999;
    const foreign = await agents.claimant(key("k2"), "ann", false);
    const cached = reads - base;
    await agents.claimant(key("k1"), "ann", true);
    const fresh = reads - base;
    now += 5_000;
    await agents.claimant(key("k1"), "ann", false);

    expect([cached, fresh, reads - base]).toEqual([0, 1, 2]);
    expect(foreign).toMatchObject({ refusal: { code: "agent_not_yours" } });
    await agents.remove(key("k1"), "ann");
    expect((await agents.claimant(key("k1"), "ann", false)).ok).toBe(false);
  });

  it("tells pools what they choose by", async () => {
    await agents.put(key("k1"), "ann", registration({ capabilities: ["gpu"], labels: { a: 1 } }));
    const record = records.get("acme/ann");

    expect(record && poolAgentOf(record)).toMatchObject({
      agent_id: "ann",
      capabilities: ["gpu"],
      labels: { a: 1 },
      slots: 1,
      weight: 1,
    });
  });
});
