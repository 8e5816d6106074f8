import { env } from "cloudflare:workers";
import { drizzle } from "drizzle-orm/d1";
import { describe, expect, it } from "vitest";

import { createChannelStore } from "../../src/delivery/channels/channel-store.ts";
import { MOST_CHANNELS } from "../../src/delivery/channels/channels.ts";
import { resend } from "../providers.ts";
import { asked } from "./asked.ts";
import { item, newEndpoint } from "./endpoints.ts";
import { newTenant } from "./tenant.ts";

/** An alert on its way to an endpoint whose clock a test sets. */
const alertItem = (alert_id: string) =>
  item(alert_id, 1, {
    task_id: null,
    seq: null,
    event_id: alert_id,
    type: "system_alert",
    notification: JSON.stringify({
      alert_id,
      severity: "error",
      title: "Tasks fail",
      detail: "Nine of ten",
      evidence: {},
    }),
  });

describe("an alert channel", () => {
  it("is tried again after 429 and 500 by its endpoint's schedule, and its breaker opens as a webhook's does", async () => {
    const format = { api: "resend" as const, from: "a@example.com", to: ["b@example.com"] };
    const endpoint = await newEndpoint({ format, retry_policy: { schedule: [10, 100, 600] } });
    const { receiver, stub, config } = endpoint;
    const count = async () => (await receiver.log()).length;
    await receiver.script([
      { status: 429, headers: { "retry-after": "20" } },
      { status: 500 },
      { status: 200 },
      { status: 500 },
    ]);
    await endpoint.enqueue(alertItem("first"));

    const counts = [];
    for (const seconds of [0, 19, 20, 119, 120]) {
      await endpoint.at(seconds * 1_000);
      await stub.wake();
      await endpoint.send();
      counts.push(await count());
    }
    await endpoint.enqueue(...["a", "b", "c", "d", "e"].map(alertItem));
    await endpoint.send();
    await endpoint.enqueue(alertItem("parked"));
    await endpoint.send();

    expect(counts).toEqual([1, 1, 2, 2, 3]);
    expect(await endpoint.delivery("first", 0)).toMatchObject({
      state: "delivered",
      attempts_made: 3,
    });
    expect(await count()).toBe(8);
    expect(await stub.level()).toBe(3);
    expect(await endpoint.delivery("parked", 0)).toMatchObject({ delay_reason: "breaker_open" });
    const provider = resend(config.secrets[0]?.secret ?? "");
    const taken = (await receiver.log()).map((one) => provider(asked(one)));
    expect(taken.map(({ reply }) => reply.status)).toEqual(taken.map(() => 200));
    // Three attempts at one mail are one mail.
    expect(taken.filter(({ meaning }) => meaning !== null)).toHaveLength(6);
  });

  it("is one of fifty at most", async () => {
    const tenant = `many-${crypto.randomUUID().slice(0, 8)}`;
    const as = await newTenant(tenant);
    const store = createChannelStore(env.DB);
    const channel = { name: "n", kind: "paging", to: [], severities: ["error"] } as const;
    const settings = { ...channel, is_enabled: true, tells_resolved: true };
    const insertions = Array.from({ length: MOST_CHANNELS }, (_, index) => {
      const stored = { channel_id: `c${index}`, webhook_id: `ch_${index}`, updated_at: "" };
      return store.insertion(tenant, {
        ...stored,
        channel: { ...settings, to: [], severities: ["error"] },
      });
    });
    const [first, ...others] = insertions;
    if (first !== undefined) await drizzle(env.DB).batch([first, ...others]);

    const secret = "0123456789abcdef0123456789abcdef";
    const more = await as("PUT", "/v1/alert-channels/more", { name: "n", kind: "paging", secret });

    expect(more).toMatchObject({ status: 422, body: { code: "channel_refused" } });
  });
});
