import { createChannelStore } from "./delivery/channels/channel-store.ts";
import { Channels } from "./delivery/channels/channels.ts";
import { tellRouted, type TellingPorts, type Told } from "./delivery/channels/telling.ts";
import { randomId } from "./lib/ports.ts";
import { isRoutedTo } from "./observe/alerts/routing.ts";
import type { ChannelPort } from "./rest/alert-channel-port.ts";
import { doorsOf } from "./services-doors.ts";
import { fanOutPorts } from "./services-webhooks.ts";

/* What alert channels are built of. */

/** Alert channels, as administrators keep them. */
export function channelPort(env: Env): ChannelPort {
  const { webhookStore, callbacks, endpoint, urlPolicy, hostFault } = doorsOf(env);
  return new Channels({
    ...callbacks,
    store: createChannelStore(env.DB),
    webhooks: webhookStore,
    endpoint,
    newId: randomId,
    urlPolicy,
    hostFault,
  });
}

/** Tells the channels that an alert is routed to. */
export function tellChannels(env: Env): (told: Told) => ReturnType<typeof tellRouted> {
  const store = createChannelStore(env.DB);
  const ports: TellingPorts = {
    ...fanOutPorts(doorsOf(env)),
    channels: (tenant) => store.live(tenant),
    isRouted: ({ channel_id, channel }, alert, change) =>
      isRoutedTo({ ...channel, channel_id }, alert, change),
  };
  return (told) => tellRouted(ports, told);
}
