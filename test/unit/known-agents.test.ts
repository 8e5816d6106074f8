import { describe, expect, it } from "vitest";

import type { AgentRecord } from "../../src/dispatch/agents.ts";
import { createKnownAgents } from "../../src/dispatch/known-agents.ts";
import type { Principal } from "../../src/protocol/access.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";
import { memoryStore } from "./agent-memory.ts";

const by = (key_id: string): Principal => ({
  key_id,
  tenant: "acme",
  scopes: ["execute"],
  isBootstrap: false,
});

const RECORD: AgentRecord = {
  agent_id: "ann",
  registration: agentRegistrationSchema.parse({}),
  secret: "",
  key_id: "k1",
  is_draining: false,
  updated_at: "2026-11-22T10:00:00.000Z",
};

describe("an executor that is known", () => {
  it("may claim for ten minutes while the registry is down, but no fresh answer is made up", async () => {
    let [now, isDown] = [1_000_000, false];
    const store = memoryStore(new Map([["acme/ann", RECORD]]), () => {
      if (isDown) throw new Error("the registry is down");
    });
    const agents = createKnownAgents({ now: () => now, store });
    await agents.claimant(by("k1"), "ann", false);
    isDown = true;
    now += 600_000;

    const known = await agents.claimant(by("k1"), "ann", false);
    const foreign = await agents.claimant(by("k2"), "ann", false);

    expect([known.ok, foreign.ok]).toEqual([true, false]);
    await expect(agents.claimant(by("k1"), "ann", true)).rejects.toThrow("down");
    await expect(agents.claimant(by("k1"), "bob", false)).rejects.toThrow("down");
    now += 5_000;
    await expect(agents.claimant(by("k1"), "ann", false)).rejects.toThrow("down");
  });
});
