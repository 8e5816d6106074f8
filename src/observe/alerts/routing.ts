import type { ChannelView } from "../../protocol/alerts.ts";
import type { Severity } from "../../protocol/enums.ts";
import type { AlertChange } from "./ports.ts";

/** What a channel says of the alerts that are meant for it. */
export type ChannelRouting = Pick<
  ChannelView,
  "severities" | "rule_ids" | "is_enabled" | "tells_resolved"
>;

/**
 * Whether a channel is to be told of a change of an alert: it is enabled, takes the severity, takes the rule (or names
 * none), and wants to hear of ends where this is one.
 */
export function isRoutedTo(
  channel: ChannelRouting,
  alert: { rule_id: string; severity: Severity },
  change: AlertChange,
): boolean {
  return (
    channel.is_enabled &&
    channel.severities.includes(alert.severity) &&
    (channel.rule_ids === undefined || channel.rule_ids.includes(alert.rule_id)) &&
    (change === "fired" || channel.tells_resolved)
  );
}
