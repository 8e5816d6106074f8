import { describe, expect, it } from "vitest";

import type { AgentRecord } from "../../src/dispatch/agents.ts";
import { createSigners } from "../../src/dispatch/signers.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";

const MESSAGE = { id: "m1", timestamp: 1, signature: "v1,ann", body: new Uint8Array() };

function ann(key_id: string | null): AgentRecord {
  const registration = agentRegistrationSchema.parse({});
  return {
    agent_id: "ann",
    registration,
    secret: "sealed",
    key_id,
    is_draining: false,
    updated_at: "",
  };
}

function signers(key_id: string | null = "k1") {
  const checked: (readonly string[])[] = [];
  const signer = createSigners({
    known: async (tenant, agent_id) =>
      tenant === "acme" && agent_id !== "nobody" ? ann(key_id) : null,
    secretsOf: async (_tenant, { agent_id }) => [`secret of ${agent_id}`],
    isSigned: async (secrets, { signature }) => {
      checked.push(secrets);
      return signature === "v1,ann";
    },
  });
  return { signer, checked };
}

describe("a signer", () => {
  it("is the agent whose secret made the signature, in the name of its key and to execute only", async () => {
    const { signer, checked } = signers();

    expect(await signer("acme", "ann", MESSAGE)).toEqual({
      key_id: "k1",
      tenant: "acme",
      scopes: ["execute"],
      isBootstrap: false,
      agent_id: "ann",
      message: { id: "m1", timestamp: 1 },
    });
    expect(await signers(null).signer("acme", "ann", MESSAGE)).toMatchObject({ key_id: "" });
    expect(checked).toEqual([["secret of ann"]]);
  });

  it.each([
    ["another's signature", "acme", "ann", "v1,bob"],
    ["an unknown agent", "acme", "nobody", "v1,ann"],
    ["another tenant's agent", "evil", "ann", "v1,ann"],
    ["the built-in executor, which has no secret", "acme", "sam", "v1,ann"],
  ])("is nobody for %s, after the same work", async (_what, tenant, agent_id, signature) => {
    const { signer, checked } = signers();

    expect(await signer(tenant, agent_id, { ...MESSAGE, signature })).toBeNull();
    expect(checked).toHaveLength(1);
  });
});
