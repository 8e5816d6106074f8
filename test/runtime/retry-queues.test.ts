import { runInDurableObject } from "cloudflare:test";
import { exports } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { BEHIND_MS } from "../../src/delivery/endpoint/waker.ts";
import { alarmOf } from "./coincidences.ts";
import { item, newEndpoint, START } from "./endpoints.ts";

interface QueueFace {
  queue(
    name: string,
    messages: { id: string; timestamp: Date; attempts: number; body: unknown }[],
  ): Promise<{ outcome: string; explicitAcks: string[] }>;
}

const face = exports.default as unknown as QueueFace;

const BINDINGS = ["RETRIES_CRITICAL", "RETRIES", "RETRIES_BULK"] as const;

describe("a retry", () => {
  it.each([
    { priority: "critical", binding: "RETRIES_CRITICAL" },
    { priority: "high", binding: "RETRIES" },
    { priority: "normal", binding: "RETRIES" },
    { priority: "low", binding: "RETRIES_BULK" },
  ] as const)("of priority $priority waits in $binding and in no other queue", async (waiting) => {
    const endpoint = await newEndpoint();
    await endpoint.receiver.script([{ status: 503 }]);
    const sends = await runInDurableObject(endpoint.stub, (instance: EndpointObject) =>
      BINDINGS.map((binding) => vi.spyOn(instance["env"][binding], "send")),
    );

    await endpoint.enqueue(item("t", 1, { priority: waiting.priority }));
    await endpoint.send();

    const used = BINDINGS.filter((_binding, index) => sends[index]?.mock.calls.length === 1);
    expect(used).toEqual([waiting.binding]);
    for (const send of sends) send.mockRestore();
  });

  it.each(["batuta-retries-critical", "batuta-retries", "batuta-retries-bulk"])(
    "is woken for by a message of %s, before its alarm",
    async (queue) => {
      const endpoint = await newEndpoint();
      await endpoint.receiver.script([{ status: 503 }]);
      await endpoint.enqueue(item("t", 1));
      await endpoint.send();
      await endpoint.at(10_000);
      endpoint.sendAtOnce();

      const { webhook_id } = endpoint.config;
      const body = { tenant: "default", webhook_id, shard: 0, due: 0 };
      const outcome = await face.queue(queue, [
        { id: "m1", timestamp: new Date(0), attempts: 1, body },
      ]);

      expect(outcome.explicitAcks).toEqual(["m1"]);
      await vi.waitUntil(async () => (await endpoint.arrived()).length === 2, 15_000);
      expect(await alarmOf(endpoint)).toBe(START + 10_000 + BEHIND_MS);
    },
  );
});
