import type { AlertView } from "../src/protocol/alerts.ts";

/** A critical alert that nobody has been told of. */
export const FIRING: AlertView = {
  alert_id: "alr_1",
  rule_id: "slow",
  severity: "critical",
  state: "firing",
  title: "Tasks are slow",
  detail: "80 s",
  evidence: { value: 80 },
  subject: "research",
  pending_since: "2026-11-22T09:58:00.000Z",
  fired_at: "2026-11-22T10:00:00.000Z",
  resolved_at: null,
  acknowledged_at: null,
  acknowledged_by: null,
  note: null,
  silenced_by: null,
  told: [],
};
