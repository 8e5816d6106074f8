import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";

import { createChannelStore } from "../../src/delivery/channels/channel-store.ts";
import { Channels, type ChannelParts } from "../../src/delivery/channels/channels.ts";
import { WebhookStore } from "../../src/delivery/registry/webhook-store.ts";
import { randomId } from "../../src/lib/ports.ts";
import { channelRequestSchema } from "../../src/protocol/alerts.ts";
import { item } from "./endpoints.ts";
import { endpoint, ports } from "./webhook-world.ts";

const ROUTING_KEY = "key0that0nobody0may0see012345678";
const request = channelRequestSchema.parse({
  name: "on call",
  kind: "paging",
  secret: ROUTING_KEY,
  is_enabled: false,
});
const given = { request, origin: "https://batuta.test" };
const DOWN = new Error("down");

/** A tenant's channels, of which a test breaks a part; all else is real. */
function world(changes: Partial<ChannelParts> = {}) {
  const by = {
    key_id: "k",
    tenant: `upkeep-${randomId()}`,
    scopes: ["admin"] as const,
    isBootstrap: false,
  };
  const store = createChannelStore(env.DB);
  const real = { ...ports, store, webhooks: new WebhookStore(env.DB) };
  const live = async () => {
    const { results } = await env.DB.prepare(
      "SELECT webhook_id FROM webhook WHERE tenant = ? AND deleted_at IS NULL",
    )
      .bind(by.tenant)
      .all<{ webhook_id: string }>();
    return results.map(({ webhook_id }) => webhook_id);
  };
  const make = (more: Partial<ChannelParts>) => new Channels({ ...real, ...changes, ...more });
  return { by, store, live, channels: make({}), but: make };
}

async function made(channels: Channels, by: Parameters<Channels["put"]>[0]): Promise<string> {
  const put = await channels.put(by, "on-call", given);
  if (!put.ok) throw new Error(put.refusal.detail);
  return put.value.webhook_id;
}

/** Whether an endpoint's object takes what is told it. */
async function isOpen(tenant: string, webhook_id: string): Promise<boolean> {
  const news = { task_id: null, seq: null, event_id: randomId(), type: "system_alert" } as const;
  const batch = { config_version: 1, callback: null, items: [item("", 1, news)] };
  return (await endpoint(tenant, webhook_id).enqueue(batch)).stored > 0;
}

describe("an alert channel that is removed", () => {
  it("is still there while its endpoint's object can't be told, and removing it again goes on", async () => {
    const { by, channels, but, live } = world();
    const webhook_id = await made(channels, by);
    const deaf = but({
      endpoint: (tenant, id) => {
        const door = endpoint(tenant, id);
        return new Proxy(door, {
          get: (of, name) =>
            name === "configure" ? () => Promise.reject(DOWN) : Reflect.get(of, name).bind(of),
        });
      },
    });

    await expect(deaf.remove(by, "on-call")).rejects.toThrow("down");
    const between = [
      (await channels.get(by.tenant, "on-call")).ok,
      await live(),
      await isOpen(by.tenant, webhook_id),
    ];
    const again = await channels.remove(by, "on-call");

    expect(between).toEqual([true, [], true]);
    expect(again).toEqual({ ok: true, value: null });
    expect(await isOpen(by.tenant, webhook_id)).toBe(false);
    expect(await channels.remove(by, "on-call")).toMatchObject({
      refusal: { code: "channel_not_found" },
    });
  });

  it("is made anew by a PUT where its row could not be removed", async () => {
    const { by, channels, store, but, live } = world();
    const webhook_id = await made(channels, by);
    const broken = but({ store: { ...store, remove: () => Promise.reject(DOWN) } });

    await expect(broken.remove(by, "on-call")).rejects.toThrow("down");
    const other = await made(channels, by);

    expect(other).not.toBe(webhook_id);
    expect(await live()).toEqual([other]);
    expect(await isOpen(by.tenant, webhook_id)).toBe(false);
    expect(await channels.get(by.tenant, "on-call")).toMatchObject({
      value: { webhook_id: other },
    });
  });
});

describe("an alert channel that is made", () => {
  it("leaves no endpoint behind where somebody else made it, or it can't be stored", async () => {
    const { by, channels, store, but, live } = world();
    const webhook_id = await made(channels, by);
    const blind = (isKnown: boolean) => {
      let reads = 0;
      const read: typeof store.read = async (tenant, channel_id) => {
        reads += 1;
        return isKnown && reads > 1 ? store.read(tenant, channel_id) : null;
      };
      return but({ store: { ...store, read } });
    };

    const overtaken = await blind(true).put(by, "on-call", given);
    await expect(blind(false).put(by, "on-call", given)).rejects.toThrow("UNIQUE");

    expect(overtaken).toMatchObject({ ok: false, refusal: { code: "unavailable" } });
    expect(await live()).toEqual([webhook_id]);
  });
});
