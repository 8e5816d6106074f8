import { describe, expect, it } from "vitest";

import { rotateSecret, secretOwnerOf, secretsOf } from "../../src/dispatch/agent-secrets.ts";
import type { AgentRecord } from "../../src/dispatch/agents.ts";
import { agentRegistrationSchema } from "../../src/protocol/agent.ts";
import { sealer } from "../sealer.ts";

const NOW = 1_000_000;
const OWNER = secretOwnerOf("acme", "ann");

async function newAnn(): Promise<AgentRecord> {
  return {
    agent_id: "ann",
    registration: agentRegistrationSchema.parse({}),
    secret: await sealer.seal("whsec_0", OWNER),
    key_id: "k1",
    is_draining: false,
    updated_at: "",
  };
}

/** One executor in memory; `race` comes between the first look at it and the first change. */
async function stored(race?: () => Promise<unknown>) {
  let record: AgentRecord | null = await newAnn();
  let [count, isRaced] = [0, false];
  const parts = {
    now: () => NOW,
    sealer,
    newSecret: () => `whsec_${(count += 1)}`,
    store: {
      get: async () => record,
      replaceSecret: async (
        _tenant: string,
        _agent_id: string,
        { from, to, former }: { from: string; to: string; former?: AgentRecord["former"] },
      ) => {
        if (race && !isRaced) {
          isRaced = true;
          await race();
        }
        if (record?.secret !== from) return false;
        record = { ...record, secret: to, ...(former && { former }) };
        return true;
      },
    },
  };
  const rotate = (overlap = 60) =>
    rotateSecret(parts, { tenant: "acme", agent_id: "ann" }, overlap);
  const countAt = async (now: number) =>
    record === null ? [] : secretsOf(sealer, "acme", { agent: record, now });
  return { rotate, countAt, remove: () => (record = null) };
}

describe("the secrets of an executor", () => {
  it("are one, and two while a new one replaces it", async () => {
    const ann = await stored();
    const before = await ann.countAt(NOW);

    await ann.rotate(60);

    expect(before).toEqual(["whsec_0"]);
    expect(await ann.countAt(NOW + 59_999)).toEqual(["whsec_1", "whsec_0"]);
    expect(await ann.countAt(NOW + 60_000)).toEqual(["whsec_1"]);
  });

  it("are never more than two", async () => {
    const ann = await stored();

    await ann.rotate();
    await ann.rotate();

    expect(await ann.countAt(NOW)).toEqual(["whsec_2", "whsec_1"]);
  });

  it("count both when two rotations meet", async () => {
    const ann = await stored(() => ann.rotate());

    const first = await ann.rotate();

    expect(first).toBe("whsec_1");
    expect(await ann.countAt(NOW)).toEqual(["whsec_1", "whsec_2"]);
  });

  it("are not made for an executor that is gone", async () => {
    const ann = await stored();
    ann.remove();

    expect(await ann.rotate()).toBeNull();
  });

  it("open for their own executor only", async () => {
    const other = { ...(await newAnn()), agent_id: "bob" };

    await expect(secretsOf(sealer, "acme", { agent: other, now: NOW })).rejects.toThrow(/owner/);
  });
});
