import { describe, expect, it } from "vitest";

import { newSecret } from "../../src/delivery/signature.ts";
import type { ChannelView } from "../../src/protocol/alerts.ts";
import type { DeliveryView } from "../../src/protocol/webhook.ts";
import { eventually } from "./batuta.ts";
import { newReceiver } from "./receiver.ts";
import { newKey, newTenant } from "./tenant.ts";

const ROUTING_KEY = "key0that0nobody0may0see012345678";

type Problem = { code: string };
type Page = { items: DeliveryView[] };

describe("the endpoint of an alert channel", () => {
  it.each(["webhook", "paging"] as const)(
    "of kind %s is tested, resumed, re-keyed and sent again by admin alone, and resumed by its own switch alone",
    async (kind) => {
      const tenant = `rights-${crypto.randomUUID().slice(0, 8)}`;
      const as = await newTenant(tenant);
      const put = (settings: object) =>
        as<ChannelView>("PUT", "/v1/alert-channels/on-call", { name: "On call", ...settings });
      const operator = await newKey(tenant, ["orchestrate", "observe"]);
      const receiver = newReceiver();
      const secret = kind === "paging" ? ROUTING_KEY : newSecret();
      const { body } = await put({ kind, url: receiver.url, secret });
      const at = `/v1/webhooks/${body.webhook_id}`;
      await as("POST", "/v1/alert-channels/on-call/test", {});
      const [tested] = await eventually(
        async () => (await as<Page>("GET", `${at}/deliveries`)).body.items,
        ([first]) => first?.attempts_made === 1,
      );
      await put({ kind, url: receiver.url, is_enabled: false });
      const recovery = { since: "2026-01-01T00:00:00Z", state: "exhausted" };

      const refused = [
        await operator<Problem>("POST", `${at}/test`, {}),
        await operator<Problem>("POST", `${at}/resume`, {}),
        await operator<Problem>("POST", `${at}/rotate-secret`, { overlap_seconds: 0 }),
        await operator<Problem>("POST", `${at}/recover`, recovery),
        await operator<Problem>("POST", `/v1/deliveries/${tested?.delivery_id}/replay`, {}),
      ];
      const counted = await operator("POST", `${at}/recover`, { ...recovery, dry_run: true });
      const resumed = await as<Problem>("POST", `${at}/resume`, {});
      const rekeyed = await as<Problem>("POST", `${at}/rotate-secret`, {});
      const again = await as("POST", `/v1/deliveries/${tested?.delivery_id}/replay`, {});

      expect(refused.map(({ status, body: { code } }) => [status, code])).toEqual(
        refused.map(() => [403, "forbidden"]),
      );
      expect(counted.status).toBe(200);
      expect(resumed).toMatchObject({ status: 409, body: { code: "webhook_of_channel" } });
      expect(rekeyed.status).toBe(kind === "webhook" ? 200 : 409);
      expect(again.status).toBe(202);
      expect(await as("GET", at)).toMatchObject({ body: { state: "paused" } });
    },
  );
});
