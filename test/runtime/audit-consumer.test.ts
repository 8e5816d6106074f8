import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { consumeAudit, isAuditMessage } from "../../src/audit/audit-consumer.ts";
import { AuditStore } from "../../src/audit/audit-store.ts";
import { randomId } from "../../src/lib/ports.ts";
import type { AuditMessage } from "../../src/protocol/audit.ts";
import { consume } from "../../src/queues.ts";

const store = new AuditStore(env.DB);

function entryOf(tenant: string, place: number): AuditMessage {
  return {
    form: "audit",
    record: {
      tenant,
      subject: "task-1",
      at: `2026-11-22T10:00:0${place}.000Z`,
      audit_id: `aud_${place}`,
      actor: "key_1",
      action: "command_given",
      detail: { command: "cancel" },
      subject_kind: "task",
      request_id: `r${place}`,
    },
  };
}

const batchOf = (bodies: unknown[], attempts = 1) =>
  createMessageBatch<unknown>(
    "batuta-events",
    bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts, body })),
  );

/** Gives messages to the consumer, with a D1 that takes entries or not. */
async function give(bodies: unknown[], { isDown = false, attempts = 1 } = {}) {
  const sent: [AuditMessage, number][] = [];
  let asked = 0;
  const batch = batchOf(bodies, attempts);
  await consumeAudit(batch.messages, {
    store: {
      add: (record) => {
        asked += 1;
        return isDown ? Promise.reject(new Error("D1 is down")) : store.add(record);
      },
    },
    enqueue: async (message, delaySeconds) => void sent.push([message, delaySeconds]),
    log: () => undefined,
  });
  const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
  return { acked: explicitAcks, retried: retryMessages.map(({ msgId }) => msgId), sent, asked };
}

const idsOf = async (tenant: string) => {
  const page = await store.list(tenant, {}, { limit: 10 });
  return page.ok ? page.value.items.map(({ audit_id }) => audit_id) : [];
};

describe("entries that D1 did not take", () => {
  it("wait while D1 is down, and are written once when it is back, however often they come", async () => {
    const tenant = `t${randomId()}`;
    const bodies = [entryOf(tenant, 1), entryOf(tenant, 2)];

    const down = await give(bodies, { isDown: true });
    const back = await give(bodies);
    const again = await give(bodies);

    expect(down).toMatchObject({ acked: [], retried: ["m0", "m1"], asked: 1 });
    expect(back).toMatchObject({ acked: ["m0", "m1"], retried: [] });
    expect(again).toMatchObject({ acked: ["m0", "m1"], retried: [] });
    expect(await idsOf(tenant)).toEqual(["aud_2", "aud_1"]);
  });

  it("outlive an outage of any length: they are sent anew before the platform gives them up", async () => {
    const body = entryOf("t", 1);

    const { acked, sent } = await give([body], { isDown: true, attempts: 9 });

    expect(acked).toEqual(["m0"]);
    expect(sent).toEqual([[body, 300]]);
  });

  it("are left to the platform when they can't be read", async () => {
    expect(await give([{ form: "audit", record: {} }])).toMatchObject({ acked: [], asked: 0 });
  });

  it("are told from task news, which come by the same queue", async () => {
    const tenant = `t${randomId()}`;
    const batch = batchOf([{ form: "whole" }, entryOf(tenant, 1), "?"]);

    await consume(batch, env, () => {});

    expect(batch.messages.map(isAuditMessage)).toEqual([false, true, false]);
    expect(await idsOf(tenant)).toEqual(["aud_1"]);
    const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
    // The others are dead letters.
    expect(explicitAcks.toSorted()).toEqual(["m0", "m1", "m2"]);
  });
});
