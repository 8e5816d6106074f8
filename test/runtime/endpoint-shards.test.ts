import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import type { EndpointObject } from "../../src/delivery/endpoint/endpoint-object.ts";
import { endpointName, shardsOf, webhookIdOf } from "../../src/delivery/shards.ts";
import { randomId } from "../../src/lib/ports.ts";
import { endpointDoor } from "../../src/services-doors.ts";
import { endpointConfig } from "../endpoint-config.ts";
import { item, placeOf, START } from "./endpoints.ts";
import { newReceiver } from "./receiver.ts";
import { newTenant, ORIGIN, register, registration, webhooks } from "./webhook-world.ts";

const SHARDS = 4;
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** An endpoint of four objects, whose clocks and alarms are the test's. */
async function newShardedEndpoint(changes: Parameters<typeof endpointConfig>[0] = {}) {
  const receiver = newReceiver();
  const webhook_id = webhookIdOf(randomId(), SHARDS);
  const stubs = Array.from({ length: SHARDS }, (_, shard) =>
    env.ENDPOINT.getByName(endpointName("default", webhook_id, shard)),
  );
  let now = START;
  for (const stub of stubs) {
    await runInDurableObject(stub, (instance: EndpointObject) => {
      instance.now = () => now;
      instance.random = () => 0;
      instance.wait = async (ms) => {
        now += ms;
      };
    });
  }
  const door = endpointDoor(env, "default", webhook_id);
  const config = endpointConfig({
    webhook_id,
    url: receiver.url,
    secrets: [{ secret: SECRET, expires_at: null }],
    shards: SHARDS,
    ...changes,
  });
  await door.configure(JSON.stringify(config));
  const send = async () => {
    for (const stub of stubs) await runDurableObjectAlarm(stub);
  };
  return { door, stubs, receiver, webhook_id, send };
}

const tasks = (count: number) =>
  Array.from({ length: count }, (_, index) => [item(`t${index}`, 1), item(`t${index}`, 2)]).flat();

describe("a hot endpoint of several objects", () => {
  it("spreads its lanes, keeps each in order and is one behind its id", async () => {
    const { door, stubs, receiver, webhook_id, send } = await newShardedEndpoint();

    const receipt = await door.enqueue({ config_version: 1, callback: null, items: tasks(40) });
    await send();

    const shares = await Promise.all(
      stubs.map(async (stub) => {
        const page = await stub.deliveries({ limit: 200 });
        return page.ok ? page.value.items.length : 0;
      }),
    );
    const places = (await receiver.log()).map((request) => placeOf(request));
    expect(receipt).toEqual({ stored: 80, known: true });
    expect(shares.every((share) => share > 4)).toBe(true);
    expect(places).toHaveLength(80);
    for (let task = 0; task < 40; task += 1) {
      const ofTask = places.filter((place) => place.startsWith(`t${task}:`));
      expect(ofTask).toEqual([`t${task}:1`, `t${task}:2`]);
    }
    const name = webhook_id.replace("_", "");
    expect(await door.delivery(`dlv_${name}_2_t7`)).toMatchObject({
      ok: true,
      value: { state: "delivered", webhook_id },
    });
  });

  it("lists all of them, shard by shard, and sums what they come to", async () => {
    const { door, send } = await newShardedEndpoint();
    await door.enqueue({ config_version: 1, callback: null, items: tasks(20) });
    await send();

    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await door.deliveries({ limit: 7, ...(cursor !== undefined && { cursor }) });
      if (!page.ok) throw new Error(page.refusal.detail);
      for (const { delivery_id } of page.value.items) seen.add(delivery_id);
      cursor = page.value.next_cursor ?? undefined;
    } while (cursor !== undefined);
    const figures = await door.figures(3_600);

    expect(seen.size).toBe(40);
    expect(figures).toMatchObject({ delivered: 40, level: 0 });
    expect(await door.deliveries({ limit: 5, cursor: "nonsense" })).toMatchObject({
      ok: false,
      refusal: { code: "validation_failed" },
    });
  });

  it("shares the rate limit, so that all together keep it", async () => {
    const { door, stubs, send } = await newShardedEndpoint({ rate_limit: { rate: 10, burst: 0 } });

    await door.enqueue({ config_version: 1, callback: null, items: tasks(30) });
    const starts: number[] = [];
    await send();
    for (const stub of stubs) {
      const page = await stub.deliveries({ limit: 200 });
      for (const { delivery_id } of page.ok ? page.value.items : []) {
        const one = await stub.delivery(delivery_id);
        for (const { started_at } of (one.ok && one.value.attempts) || []) {
          starts.push(Date.parse(started_at));
        }
      }
    }

    expect(starts.length).toBeGreaterThan(10);
    for (const from of starts) {
      expect(starts.filter((at) => at >= from && at < from + 1_000).length).toBeLessThanOrEqual(10);
    }
  });

  it("recovers everywhere, as one", async () => {
    const { door, receiver, send } = await newShardedEndpoint({
      retry_policy: { schedule: [] },
      breaker: { enabled: false },
    });
    await receiver.script([{ status: 500 }]);
    await door.enqueue({ config_version: 1, callback: null, items: tasks(10) });
    await send();
    await send();
    await receiver.script([{ status: 200 }]);
    const range = { since: START - 1, until: START + 1, wanted: "exhausted" as const };

    const match = await door.recoverable(range);
    await door.recover("rcv_s", range);
    await send();
    await send();

    expect(match).toEqual({ matched: 20 });
    expect(await door.recovery("rcv_s")).toMatchObject({
      ok: true,
      value: { state: "done", matched: 20, replayed: 20 },
    });
  });
});

describe("the shards of a registration", () => {
  it("are in its id for ever, and can't be changed", async () => {
    const by = newTenant();
    const webhook = await register(by, newReceiver(), { shards: 4 });

    const patched = await webhooks.patch(by, webhook.webhook_id, { shards: 8 }, ORIGIN);

    expect(shardsOf(webhook.webhook_id)).toBe(4);
    expect(webhook.shards).toBe(4);
    expect(patched).toMatchObject({
      ok: false,
      refusal: { code: "not_supported", errors: [{ pointer: "/shards" }] },
    });
  });

  it.each([
    [{ shards: 4, ordering: "endpoint" }, "/shards"],
    [{ shards: 4, rate_limit: { rate: 2 } }, "/rate_limit/rate"],
  ])("are refused where they can't be honoured: %j", async (fields, pointer) => {
    const answer = await webhooks.create(newTenant(), registration(newReceiver(), fields), ORIGIN);

    expect(answer).toMatchObject({
      ok: false,
      refusal: { code: "not_supported", errors: [{ pointer }] },
    });
  });
});
