import { describe, expect, it } from "vitest";

import { createAgents } from "../../src/dispatch/agents.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";
import { sealer } from "../sealer.ts";
import { memoryStore } from "./agent-memory.ts";
import { fakePool } from "./fake-pool.ts";

const registration = (more: object = {}) => agentRegistrationSchema.parse(more);
const key = (key_id: string, ...scopes: Principal["scopes"][number][]): Principal => ({
  key_id,
  tenant: "acme",
  scopes: scopes.length > 0 ? scopes : ["execute"],
  isBootstrap: false,
});

describe("an executor that an admin registered", () => {
  it("is left to admins: its url, its secret, draining and removing it", async () => {
    const pool = fakePool();
    const agents = createAgents({
      now: () => 1_000_000,
      store: memoryStore(new Map(), () => undefined),
      pool: () => pool,
      newSecret: () => "whsec_secret",
      sealer,
      urlFault: async () => null,
      isSamOn: false,
    });
    await agents.put(key("k1", "admin"), "ann", registration({ url: "https://a.example/" }));
    const [any, admin] = [key("k2"), key("k3", "admin")];
    const deeds = (by: typeof any) => [
      () => agents.put(by, "ann", registration({ url: "https://elsewhere.example/" })),
      () => agents.put(by, "ann", registration()),
      () => agents.rotateSecret(by, "ann", 0),
      () => agents.drain(by, "ann", true),
      () => agents.remove(by, "ann"),
    ];

    for (const deed of deeds(any)) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await deed()).toMatchObject({ ok: false, refusal: { code: "agent_not_yours" } });
    }
    const same = registration({ url: "https://a.example/", slots: 2 });
    expect(await agents.put(any, "ann", same)).toMatchObject({ ok: true, value: { slots: 2 } });
    expect((await agents.claimant(any, "ann", true)).ok).toBe(true);
    for (const deed of deeds(admin)) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await deed()).toMatchObject({ ok: true });
    }
  });
});
