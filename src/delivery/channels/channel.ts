import type * as z from "zod";

import { channelRequestSchema } from "../../protocol/alerts.ts";

/** A channel's settings as they are kept: its secret is its endpoint's, and a chat's address is its secret. */
export const storedChannelSchema = channelRequestSchema.omit({
  secret: true,
  schema_version: true,
});

/** A channel as it is kept. */
export interface StoredChannel {
  channel_id: string;
  webhook_id: string;
  channel: z.infer<typeof storedChannelSchema>;
  /** RFC 3339 instant. */
  updated_at: string;
}

/** A channel that an alert may go to. */
export interface LiveChannel extends StoredChannel {
  /** Of its endpoint's configuration. */
  version: number;
}
