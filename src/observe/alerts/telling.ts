import type { AlertView, Silence } from "../../protocol/alerts.ts";
import { severitySchema } from "../../protocol/enums.ts";
import type { SystemAlert } from "../../protocol/webhook-operations.ts";
import type { AlertChange } from "./ports.ts";

const GRAVITY = severitySchema.options;

/** Longest title of a notification (SystemAlert). */
const LONGEST_TITLE = 200;

/** The silence in force for an alert at an instant (RFC 3339, UTC with milliseconds), or null. */
export function silenceFor(
  silences: readonly Silence[],
  alert: Pick<AlertView, "rule_id" | "severity">,
  at: string,
): Silence | null {
  return (
    silences.find(
      ({ rule_id, max_severity, ends_at }) =>
        ends_at > at &&
        (rule_id === null || rule_id === alert.rule_id) &&
        GRAVITY.indexOf(alert.severity) <= GRAVITY.indexOf(max_severity),
    ) ?? null
  );
}

/**
 * An alert in the form of the notification system_alert. Its end has an id of its own, because an endpoint takes each
 * `alert_id` once; `evidence.alert_id` names the alert in both. The severity stays, so that whoever heard of it hears of
 * its end.
 */
export function systemAlertOf(alert: AlertView, change: AlertChange): SystemAlert {
  const { alert_id, rule_id, subject, severity, fired_at, resolved_at } = alert;
  const isOver = change === "resolved";
  return {
    alert_id: isOver ? `${alert_id}_resolved` : alert_id,
    severity,
    title: (isOver ? `Resolved: ${alert.title}` : alert.title).slice(0, LONGEST_TITLE),
    detail: alert.detail,
    evidence: {
      ...alert.evidence,
      alert_id,
      rule_id,
      subject,
      state: isOver ? "resolved" : "firing",
      fired_at,
      resolved_at: isOver ? resolved_at : null,
    },
  };
}
