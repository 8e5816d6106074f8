import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { describe, expect, it } from "vitest";

import { consumeRetries, type RetryPorts } from "../../src/delivery/delivery-consumer.ts";
import type { RetryMessage } from "../../src/protocol/queue-messages.ts";

const NOW = Date.parse("2026-11-22T10:00:00.000Z");
const ONE: RetryMessage = {
  tenant: "acme",
  webhook_id: "wh_0123456789ABCDEFGHIJkl",
  shard: 0,
  due: NOW,
};
const TWO: RetryMessage = { ...ONE, webhook_id: "wh_0123456789ABCDEFGHIJk2" };

async function consume(bodies: unknown[], broken: string[] = []) {
  const woken: string[] = [];
  const later: [RetryMessage, number][] = [];
  const dead: string[] = [];
  const lines: unknown[] = [];
  const ports: RetryPorts = {
    wake: async (tenant, webhook_id) => {
      if (broken.includes(webhook_id)) throw new Error("overloaded");
      woken.push(`${tenant}/${webhook_id}`);
    },
    sendLater: async (message, delaySeconds) => {
      later.push([message, delaySeconds]);
    },
    deadLetter: async (queue, _reason, body) => {
      dead.push(`${queue} ${body}`);
    },
    now: () => NOW,
    log: (_level, event, fields) => void lines.push([event, fields]),
  };
  const batch = createMessageBatch(
    "batuta-retries",
    bodies.map((body, index) => ({
      id: String(index),
      timestamp: new Date(NOW),
      attempts: 1,
      body,
    })),
  );
  await consumeRetries(batch, ports);
  const result = await getQueueResult(batch, createExecutionContext());
  return {
    woken,
    later,
    dead,
    lines,
    acked: result.explicitAcks,
    retried: result.retryMessages.map(({ msgId }) => msgId),
  };
}

describe("the consumer of the retries queue", () => {
  it("wakes each endpoint once, however many of its messages come together", async () => {
    const { woken, acked } = await consume([ONE, TWO, ONE]);

    expect(woken).toEqual(["acme/wh_0123456789ABCDEFGHIJkl", "acme/wh_0123456789ABCDEFGHIJk2"]);
    expect(acked).toEqual(["0", "1", "2"]);
  });

  it("sends on what is not due yet, for twelve hours at most", async () => {
    const day = { ...ONE, due: NOW + 86_400_000 };
    const moment = { ...TWO, due: NOW + 1_500 };

    const { woken, later, acked } = await consume([day, moment]);

    expect(later).toEqual([
      [day, 43_200],
      [moment, 2],
    ]);
    expect(woken).toEqual([]);
    expect(acked).toEqual(["0", "1"]);
  });

  it("tries a message again whose endpoint could not be woken, and no other", async () => {
    const { woken, acked, retried, lines } = await consume([ONE, TWO], [ONE.webhook_id]);

    expect(woken).toEqual(["acme/wh_0123456789ABCDEFGHIJk2"]);
    expect([acked, retried]).toEqual([["1"], ["0"]]);
    const { tenant, webhook_id } = ONE;
    expect(lines).toMatchObject([["retry_wake_failed", { tenant, webhook_id }]]);
  });

  it("puts aside what it does not understand, where it can be seen", async () => {
    const { dead, acked } = await consume(["nonsense", { ...ONE, due: -1 }, ONE]);

    expect(dead).toEqual([
      'batuta-retries "nonsense"',
      `batuta-retries ${JSON.stringify({ ...ONE, due: -1 })}`,
    ]);
    expect(acked).toEqual(["0", "1", "2"]);
  });
});
