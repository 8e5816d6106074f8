import { expect } from "vitest";

import { randomId } from "../../src/lib/ports.ts";
import { call } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";

const name = (): string => `audited-${randomId().toLowerCase()}`;

async function channel(): Promise<string> {
  const channel_id = name();
  await call("PUT", `/v1/alert-channels/${channel_id}`, {
    name: "audited",
    kind: "webhook",
    url: newReceiver().url,
  });
  return channel_id;
}

/**
 * What is done to alert channels, for the audit of each route.
 *
 * @param canary stands wherever no entry may repeat something
 */
export const channelActs = (canary: string) => ({
  put_alert_channel: async () => {
    const channel_id = name();
    return {
      method: "PUT",
      path: `/v1/alert-channels/${channel_id}`,
      body: {
        name: "on call",
        kind: "email",
        url: `${newReceiver().url}/${canary}`,
        to: [`${canary}@example.com`],
        from: `${canary}@example.com`,
        secret: canary,
      },
      subject: channel_id,
      detail: {
        kind: "email",
        webhook_id: expect.any(String),
        sent_to: "https://hooks.receiver.test/…",
        recipients: 1,
        is_enabled: true,
        has_new_secret: true,
      },
    };
  },
  delete_alert_channel: async () => {
    const channel_id = await channel();
    return { method: "DELETE", path: `/v1/alert-channels/${channel_id}`, subject: channel_id };
  },
  test_alert_channel: async () => {
    const channel_id = await channel();
    return {
      method: "POST",
      path: `/v1/alert-channels/${channel_id}/test`,
      body: {},
      subject: channel_id,
      detail: { delivery_id: expect.any(String) },
    };
  },
});
