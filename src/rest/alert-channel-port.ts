import type { Result } from "../lib/result.ts";
import type { Principal } from "../protocol/access.ts";
import type { ChannelRequest, ChannelView } from "../protocol/alerts.ts";
import type { Refusal } from "../protocol/refusal.ts";
import type { DeliveryView } from "../protocol/webhook.ts";

type Answer<Value> = Promise<Result<Value, Refusal>>;

/** Where alerts go. */
export interface ChannelPort {
  /** In the order of channel_id. */
  list(
    tenant: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: ChannelView[]; next_cursor: string | null }>;
  get(tenant: string, channel_id: string): Answer<ChannelView>;
  /** `origin`: scheme, host and port by which the request came. */
  put(
    by: Principal,
    channel_id: string,
    given: { request: ChannelRequest; origin: string },
  ): Answer<ChannelView>;
  remove(by: Principal, channel_id: string): Answer<null>;
  /** Sends a test alert through the channel's own path. */
  test(by: Principal, channel_id: string): Answer<DeliveryView>;
}
