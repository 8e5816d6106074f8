import type { AlertView, ChannelView } from "../../protocol/alerts.ts";
import type { AlertChange } from "./ports.ts";

/** What a channel says of the alerts that are meant for it. */
export type ChannelRouting = Pick<
  ChannelView,
  "channel_id" | "kind" | "severities" | "rule_ids" | "is_enabled" | "tells_resolved"
>;

/**
 * Whether a channel is to be told of a change of an alert.
 *
 * Of its beginning when the channel is enabled, takes the severity and takes the rule (or names none), and has not been
 * told yet. Of what follows, who was told of the beginning, whatever its settings say since: its end if it wants to hear
 * of ends, and that somebody looks after it if it is a pager, which then rings no more. What a channel that is off is told
 * so waits at its endpoint.
 */
export function isRoutedTo(
  channel: ChannelRouting,
  alert: Pick<AlertView, "rule_id" | "severity" | "told">,
  change: AlertChange | "acknowledged",
): boolean {
  const hasHeard = alert.told.includes(channel.channel_id);
  switch (change) {
    case "fired":
      return !hasHeard && isMeant(channel, alert);
    case "resolved":
      return hasHeard && channel.tells_resolved;
    case "acknowledged":
      return hasHeard && channel.kind === "paging";
  }
}

function isMeant(
  { is_enabled, severities, rule_ids }: ChannelRouting,
  { severity, rule_id }: Pick<AlertView, "rule_id" | "severity">,
): boolean {
  return (
    is_enabled &&
    severities.includes(severity) &&
    (rule_ids === undefined || rule_ids.includes(rule_id))
  );
}
