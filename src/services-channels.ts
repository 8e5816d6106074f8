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

/** Who is told of what: that somebody looks after an alert is of use to a pager alone, which then rings no more. */
const isRouted: TellingPorts["isRouted"] = (channel, alert, change) =>
  change === "acknowledged"
    ? channel.kind === "paging" && isRoutedTo(channel, alert, "fired")
    : isRoutedTo(channel, alert, change);

/** Tells the channels that an alert is routed to; gives their ids. @throws when one could not be reached: repeat it */
export function tellChannels(env: Env): (told: Told) => Promise<string[]> {
  const store = createChannelStore(env.DB);
  const ports: TellingPorts = {
    ...fanOutPorts(doorsOf(env)),
    channels: (tenant) => store.live(tenant),
    isRouted,
  };
  return (told) => tellRouted(ports, told);
}
