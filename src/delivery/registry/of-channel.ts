import type { Principal } from "../../protocol/access.ts";
import type { Refusal } from "../../protocol/refusal.ts";
import { isOfChannel } from "../shards.ts";
import { unverified } from "./challenge.ts";
import type { Webhook } from "./registration.ts";

/* Endpoints that carry alert channels: who may do what of all that webhooks can do. */

/** What only the channel itself may change of the endpoint that carries it. */
export const OF_CHANNEL: Refusal = {
  code: "webhook_of_channel",
  detail:
    "This endpoint carries an alert channel: PUT and DELETE /v1/alert-channels/{channel_id} change it, and GET /v1/alert-channels says which.",
};

/**
 * Why somebody may not change how an endpoint sends, or have it send; null when they may. Of an alert channel only admin
 * does.
 *
 * @param isItsOwn whether it is for the channel alone, if there is one
 */
export function channelRefusal(
  { scopes }: Pick<Principal, "scopes">,
  webhook_id: string,
  isItsOwn = false,
): Refusal | null {
  if (!isOfChannel(webhook_id)) return null;
  if (!scopes.includes("admin")) return NOT_ADMIN;
  return isItsOwn ? OF_CHANNEL : null;
}

const NOT_ADMIN: Refusal = {
  code: "forbidden",
  detail: "needs a key with the scope admin: this endpoint carries an alert channel",
};

/** Why somebody may not have an endpoint send; null when they may, also where nobody registered it. */
export function sendRefusal(
  by: Pick<Principal, "scopes">,
  webhook_id: string,
  webhook: Pick<Webhook, "isVerified"> | null,
): Refusal | null {
  const refusal = channelRefusal(by, webhook_id);
  return refusal === null && webhook?.isVerified === false ? unverified(webhook_id) : refusal;
}
